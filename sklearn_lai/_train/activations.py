"""Activations of the trained network, with their first and second derivatives."""

from collections.abc import Mapping
from math import pi, sqrt

import torch
from torch import Tensor
from torch.nn import functional


class Activation:
    """An elementwise function f, written into given tensors."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        """Write f(z) and f'(z)."""
        raise NotImplementedError

    def second_derivative(
        self, z: Tensor, value: Tensor, derivative: Tensor
    ) -> Tensor | None:
        """Compute f''(z) from what `evaluate` wrote; None where it is 0."""
        return None


class Identity(Activation):
    """f(z) = z."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        value.copy_(z)
        derivative.fill_(1)


class ReLU(Activation):
    """f(z) = max(z, 0), with derivative 0 at 0."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        torch.clamp_min(z, 0, out=value)
        torch.sign(value, out=derivative)


class Logistic(Activation):
    """f(z) = 1 / (1 + exp(-z))."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        torch.sigmoid(z, out=value)
        torch.addcmul(value, value, value, value=-1, out=derivative)

    def second_derivative(self, z: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
        return derivative * (1 - 2 * value)


class Tanh(Activation):
    """f(z) = tanh(z)."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        torch.tanh(z, out=value)
        torch.square(value, out=derivative)
        torch.sub(1, derivative, out=derivative)

    def second_derivative(self, z: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
        return -2 * value * derivative


class Softplus(Activation):
    """f(z) = log(1 + exp(z))."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        # At torch's default threshold, 20, the value would jump by 2e-9.
        value.copy_(functional.softplus(z, threshold=40))
        torch.sigmoid(z, out=derivative)

    def second_derivative(self, z: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
        return derivative * (1 - derivative)


class SiLU(Activation):
    """f(z) = z / (1 + exp(-z))."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        sigmoid = torch.sigmoid(z)
        torch.mul(z, sigmoid, out=value)
        torch.addcmul(sigmoid, value, 1 - sigmoid, out=derivative)

    def second_derivative(self, z: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
        sigmoid = torch.sigmoid(z)
        return sigmoid * (1 - sigmoid) * (2 + z * (1 - 2 * sigmoid))


class GELU(Activation):
    """f(z) = z * Phi(z), with the distribution function Phi of N(0, 1)."""

    def evaluate(self, z: Tensor, value: Tensor, derivative: Tensor) -> None:
        distribution = torch.special.ndtr(z)
        torch.mul(z, distribution, out=value)
        torch.addcmul(distribution, z, self._density(z), out=derivative)

    def second_derivative(self, z: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
        return self._density(z) * (2 - z.square())

    @staticmethod
    def _density(z: Tensor) -> Tensor:
        return torch.exp(-0.5 * z.square()) / sqrt(2 * pi)


ACTIVATIONS: Mapping[str, Activation] = {
    "identity": Identity(),
    "logistic": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "softplus": Softplus(),
    "silu": SiLU(),
    "gelu": GELU(),
}
