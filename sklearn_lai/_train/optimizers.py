"""Optimisers of one flat tensor, a few operations a step.

torch's own optimisers take several times as long as a small network's other
operations together; these take the same steps, on the scale of MLPRegressor's
parameters.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

# MLPRegressor's: what an adaptive step size is divided by, and the least it may be.
RATE_DIVISOR, LEAST_RATE = 5, 1e-6


class Optimizer:
    """Changes parameters in place by their gradient."""

    learning_rate: float
    _state: ClassVar[tuple[str, ...]]
    _parameters: Tensor

    def begin_second_stage(self, learning_rate: float) -> None:
        """Go on with the step size of the second stage."""
        self.learning_rate = learning_rate

    def end_epoch(self, n_seen: int) -> None:
        """End an epoch of the first stage, after so many samples in all epochs."""

    def reacts_to_plateau(self) -> bool:
        """Whether there is something to try before training ends at a plateau."""
        return False

    def step(self, gradient: Tensor) -> None:
        """Take a step."""
        raise NotImplementedError

    def forget(self) -> None:
        """Go on as if there had been no steps so far."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What the steps so far have left, but for the parameters, in arrays."""
        state = {name: getattr(self, name) for name in self._state}
        return {"kind": type(self).__name__} | {
            name: value.cpu().numpy().copy() if torch.is_tensor(value) else value
            for name, value in state.items()
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from there, if it is that of an optimiser of the same kind."""
        if state["kind"] != type(self).__name__:
            return
        for name in self._state:
            value = state[name]
            if isinstance(value, np.ndarray):
                value = self._parameters.new_tensor(value)
            setattr(self, name, value)


class Adam(Optimizer):
    """Kingma and Ba (2014), with `epsilon` where MLPRegressor has it."""

    _state = ("_n_steps", "_first_moment", "_second_moment")

    def __init__(
        self,
        parameters: Tensor,
        learning_rate: float,
        *,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
    ):
        self._parameters = parameters
        self.learning_rate = learning_rate
        self._betas = beta_1, beta_2
        self._epsilon = parameters.new_tensor(epsilon)
        self._n_steps = 0
        self._first_moment = torch.zeros_like(parameters)
        self._second_moment = torch.zeros_like(parameters)
        self._buffer = torch.empty_like(parameters)

    def step(self, gradient: Tensor) -> None:
        """Take a step."""
        beta_1, beta_2 = self._betas
        buffer, t = self._buffer, self._n_steps + 1
        self._n_steps = t
        self._first_moment.lerp_(gradient, 1 - beta_1)
        torch.mul(gradient, gradient, out=buffer)  # faster than square
        self._second_moment.lerp_(buffer, 1 - beta_2)
        torch.sqrt(self._second_moment, out=buffer)
        buffer.add_(self._epsilon)
        step_size = self.learning_rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        self._parameters.addcdiv_(self._first_moment, buffer, value=-step_size)

    def forget(self) -> None:
        self._n_steps = 0
        self._first_moment.zero_()
        self._second_moment.zero_()


class SGD(Optimizer):
    """Stochastic gradient descent with momentum, and MLPRegressor's schedules.

    The step size stays ('constant'), falls with the samples seen to the power of
    `power_t` ('invscaling'), or is divided at every plateau ('adaptive').
    """

    _state = ("_velocity", "learning_rate", "_is_in_second_stage")

    def __init__(
        self,
        parameters: Tensor,
        learning_rate: float,
        *,
        momentum: float,
        nesterov: bool,
        schedule: str = "constant",
        power_t: float = 0.5,
    ):
        self._parameters = parameters
        self.learning_rate = self._first_rate = learning_rate
        self._momentum = momentum
        self._nesterov = nesterov
        self._schedule, self._power_t = schedule, power_t
        self._velocity = torch.zeros_like(parameters)
        self._is_in_second_stage = False

    def begin_second_stage(self, learning_rate: float) -> None:
        self._change_rate(learning_rate)
        self._is_in_second_stage = True

    def forget(self) -> None:
        self._velocity.zero_()

    def resume(self, state: Mapping[str, Any]) -> None:
        super().resume(state)
        if self._is_in_second_stage or self._schedule == "constant":
            self._change_rate(self._first_rate)
            self._is_in_second_stage = False

    def _change_rate(self, learning_rate: float) -> None:
        """Take another step size, as if all steps so far had had it."""
        if self._schedule == "constant":
            self._velocity *= learning_rate / self.learning_rate
        else:  # they had several
            self._velocity.zero_()
        self.learning_rate = learning_rate

    def end_epoch(self, n_seen: int) -> None:
        if self._schedule == "invscaling":
            self.learning_rate = self._first_rate / (n_seen + 1) ** self._power_t

    def reacts_to_plateau(self) -> bool:
        if self._schedule != "adaptive" or self.learning_rate <= LEAST_RATE:
            return False
        self.learning_rate /= RATE_DIVISOR
        return True

    def step(self, gradient: Tensor) -> None:
        """Take a step."""
        rate, velocity = self.learning_rate, self._velocity
        velocity.mul_(self._momentum).add_(gradient, alpha=-rate)
        if self._nesterov:
            self._parameters.add_(velocity, alpha=self._momentum)
            self._parameters.add_(gradient, alpha=-rate)
        else:
            self._parameters.add_(velocity)
