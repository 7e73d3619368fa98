"""The multilayer perceptron that is trained: values, slopes, explicit gradients.

Every layer is one matrix whose last row is the intercept; every input of a layer has
a last column of ones. All matrices are views of one flat tensor, their gradients of
another, so that an optimiser step is a few operations whatever the depth.

The gradient of a function of predictions and slopes needs no second backward pass:
with ``u`` the gradient with respect to the slopes, ``sum(u * slopes)`` is the
derivative of the predictions in the direction ``u``, so one tangent pass forward and
one pass backward over values and tangents give the gradient. Values and tangents are
rows of the same buffers, so that one product per layer gives its gradient.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from .._units import Layers
from .activations import ACTIVATIONS


class Network:
    """Multilayer perceptron with linear output; no hidden layer: a linear model.

    `coefs[l]` has shape (units of layer l, units of layer l + 1), `intercepts[l]`
    (units of layer l + 1,). Both are copied. Without `fit_intercept` the network has
    no intercepts, and its inputs no column of ones.
    """

    def __init__(
        self,
        coefs: list[Tensor],
        intercepts: list[Tensor],
        activation: str,
        *,
        fit_intercept: bool = True,
    ):
        self.fit_intercept = fit_intercept
        self.sizes = [len(coefs[0]), *(coef.shape[1] for coef in coefs)]
        shapes = [(n_in + fit_intercept, n_out) for n_in, n_out in pairwise(self.sizes)]
        n_parameters = sum(n_in * n_out for n_in, n_out in shapes)
        self.parameters = coefs[0].new_empty(n_parameters)
        self.gradient = torch.zeros_like(self.parameters)
        self._matrices = _views(self.parameters, shapes)
        self._gradients = _views(self.gradient, shapes)
        for matrix, coef, intercept in zip(
            self._matrices, coefs, intercepts, strict=True
        ):
            matrix[: len(coef)] = coef
            if fit_intercept:
                matrix[-1] = intercept
        self._coefs_T = [
            matrix[:n_in].mT
            for matrix, n_in in zip(self._matrices, self.sizes[:-1], strict=True)
        ]
        self._activation = ACTIVATIONS[activation]
        # Parameters before and after each hidden layer.
        around = zip(
            self._matrices[:-1], self._coefs_T[1:], self._gradients[1:], strict=True
        )
        self._hidden = list(zip(self.sizes[1:-1], around, strict=True))
        self._workspaces: dict[int, _Workspace] = {}
        self._slope_workspaces: dict[int, _SlopeWorkspace] = {}

    def layers(self, parameters: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Copies of the coefficients and intercepts in a tensor of parameters."""
        matrices = _views(parameters, [matrix.shape for matrix in self._matrices])
        if self.fit_intercept:
            coefs = [matrix[:-1].clone() for matrix in matrices]
            return coefs, [matrix[-1].clone() for matrix in matrices]
        coefs = [matrix.clone() for matrix in matrices]
        return coefs, [coef.new_zeros(coef.shape[1]) for coef in coefs]

    @contextmanager
    def having(self, parameters: Tensor) -> Iterator[None]:
        """Compute with other parameters in the block."""
        current = self.parameters.clone()
        self.parameters.copy_(parameters)
        try:
            yield
        finally:
            self.parameters.copy_(current)

    def arrays(self, parameters: Tensor) -> Layers:
        """The same as arrays."""
        coefs, intercepts = self.layers(parameters)
        return [c.cpu().numpy() for c in coefs], [b.cpu().numpy() for b in intercepts]

    def is_coef(self) -> Tensor:
        """1 for each parameter that is a coefficient, 0 for intercepts."""
        mask = torch.ones_like(self.parameters)
        if self.fit_intercept:
            for view in _views(mask, [matrix.shape for matrix in self._matrices]):
                view[-1] = 0
        return mask

    def is_coef_of(self, features: np.ndarray) -> Tensor:
        """1 for the coefficients of features in a mask, which the first layer has."""
        mask = torch.zeros_like(self.parameters)
        first, *_ = _views(mask, [matrix.shape for matrix in self._matrices])
        first[np.flatnonzero(features)] = 1
        return mask

    def forward(self, X: Tensor, out: Tensor | None = None) -> Tensor:
        """Outputs, shape (n_samples, n_outputs), written into `out` if it is given.

        `X` has a last column of ones unless the network has no intercepts. What is
        returned is valid until the next call, to which `backward` then refers.
        """
        return self._propagate(X, self._workspace(X), out)

    def forward_with_slopes(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs, and their slopes, of shape (n_outputs, n_samples, n_features).

        The same holds for `backward_with_slopes`.
        """
        work = self._slope_work = self._slope_workspace(X)
        outputs, chain = self._propagate(X, work), work.output_chain
        for layer in work.hidden_reversed:
            torch.mm(chain, layer.next_coef_T, out=layer.chain_rows)
            torch.mul(layer.chain, layer.derivative, out=layer.chain_delta)
            chain = layer.chain_delta_rows
        torch.mm(chain, self._coefs_T[0], out=work.slope_rows)
        return outputs, work.slopes

    def backward(self, output_gradient: Tensor) -> None:
        """Gradient of a function of the outputs, given that of the outputs."""
        work, delta = self._work, output_gradient
        for layer in work.hidden_reversed:
            torch.mm(layer.inputs_T, delta, out=layer.next_gradient)
            torch.mm(delta, layer.next_coef_T, out=layer.delta)
            delta = layer.delta.mul_(layer.derivative)
        torch.mm(work.X.mT, delta, out=self._gradients[0])

    def backward_with_slopes(
        self, output_gradient: Tensor, slope_gradient: Tensor
    ) -> None:
        """Gradient of a function of outputs and slopes, given those of both."""
        work = self._slope_work
        work.X_values.copy_(work.X)
        work.X_tangent.copy_(slope_gradient)
        work.output_delta.copy_(output_gradient)
        tangent_rows = work.X_tangent_rows
        for layer in work.hidden:
            torch.mm(tangent_rows, layer.matrix, out=layer.z_tangent_rows)
            torch.mul(layer.z_tangent, layer.derivative, out=layer.tangent)
            tangent_rows = layer.tangent_rows
        delta, delta_stack = work.output_delta, work.output_delta_stack
        for layer in work.hidden_reversed:
            torch.mm(layer.input_stack_T, delta_stack, out=layer.next_gradient)
            torch.mm(delta, layer.next_coef_T, out=layer.delta)
            delta, delta_stack = layer.delta, layer.delta_stack
            delta.mul_(layer.derivative)
            curvature = self._activation.second_derivative(
                layer.z, layer.value, layer.derivative
            )
            if curvature is not None:
                delta.addcmul_(curvature, (layer.chain * layer.z_tangent).sum(0))
        torch.mm(work.X_stack_T, delta_stack, out=self._gradients[0])

    def _propagate(
        self, X: Tensor, work: "_Workspace", out: Tensor | None = None
    ) -> Tensor:
        self._work, work.X, inputs = work, X, X
        for layer in work.hidden:
            torch.mm(inputs, layer.matrix, out=layer.z)
            self._activation.evaluate(layer.z, layer.value, layer.derivative)
            inputs = layer.inputs
        out = work.output if out is None else out
        return torch.mm(inputs, self._matrices[-1], out=out)

    def _workspace(self, X: Tensor) -> "_Workspace":
        n_samples, n_ones = len(X), int(self.fit_intercept)
        if n_samples not in self._workspaces:
            hidden = []
            for size, around in self._hidden:
                inputs = X.new_ones(n_samples, size + n_ones)
                delta = X.new_empty(n_samples, size)
                hidden.append(_Hidden(inputs, delta, *around))
            self._workspaces[n_samples] = _Workspace(X, self.sizes[-1], hidden)
        return self._workspaces[n_samples]

    def _slope_workspace(self, X: Tensor) -> "_SlopeWorkspace":
        n_samples = len(X)
        if n_samples not in self._slope_workspaces:
            sizes = self.sizes[-1], int(self.fit_intercept)
            hidden = [
                _SlopeHidden(X, *sizes, size, *around) for size, around in self._hidden
            ]
            self._slope_workspaces[n_samples] = _SlopeWorkspace(X, *sizes, hidden)
        return self._slope_workspaces[n_samples]


class _Stack:
    """Rows of values with columns of ones; below them, per output, rows of tangents.

    In place of tangents there are steps of the chain rule that gives the slopes.
    Other names are views: `_rows` has outputs and samples in one axis.
    """

    def __init__(self, X: Tensor, n_outputs: int, size: int, n_ones: int = 0):
        n_samples = len(X)
        self.all = X.new_zeros((1 + n_outputs) * n_samples, size + n_ones)
        self.values, self.tangent_rows = self.all[:n_samples], self.all[n_samples:]
        self.values[:, size:] = 1
        tangents = self.tangent_rows.unflatten(0, (n_outputs, n_samples))
        self.tangents = tangents[..., :size]


class _Hidden:
    """Buffers of one hidden layer, and the parameters before and after it."""

    def __init__(self, inputs: Tensor, delta: Tensor, *parameters: Tensor):
        self.matrix, self.next_coef_T, self.next_gradient = parameters
        self.inputs, self.inputs_T = inputs, inputs.mT  # of the next layer
        self.value = inputs[:, : delta.shape[1]]
        self.delta = delta
        self.z = torch.empty_like(delta)
        self.derivative = torch.empty_like(delta)


class _SlopeHidden(_Hidden):
    """The same with tangents, and the chain rule of the slopes."""

    def __init__(
        self, X: Tensor, n_outputs: int, n_ones: int, size: int, *parameters: Tensor
    ):
        inputs, delta = _Stack(X, n_outputs, size, n_ones), _Stack(X, n_outputs, size)
        super().__init__(inputs.values, delta.values, *parameters)
        self.input_stack_T, self.delta_stack = inputs.all.mT, delta.all
        self.tangent, self.tangent_rows = inputs.tangents, inputs.tangent_rows
        self.chain_delta, self.chain_delta_rows = delta.tangents, delta.tangent_rows
        self.z_tangent = torch.empty_like(delta.tangents)
        self.z_tangent_rows = self.z_tangent.flatten(0, 1)
        self.chain = torch.empty_like(delta.tangents)
        self.chain_rows = self.chain.flatten(0, 1)


class _Workspace:
    """Buffers for batches of one size."""

    def __init__(self, X: Tensor, n_outputs: int, hidden: Sequence[_Hidden]):
        self.X = X
        self.hidden, self.hidden_reversed = hidden, hidden[::-1]
        self.output = X.new_empty(len(X), n_outputs)


class _SlopeWorkspace(_Workspace):
    """The same with slopes and tangents of each output."""

    hidden: Sequence[_SlopeHidden]
    hidden_reversed: Sequence[_SlopeHidden]

    def __init__(
        self, X: Tensor, n_outputs: int, n_ones: int, hidden: Sequence[_SlopeHidden]
    ):
        super().__init__(X, n_outputs, hidden)
        n_features = X.shape[1] - n_ones
        self.slopes = X.new_empty(n_outputs, len(X), n_features)
        self.slope_rows = self.slopes.flatten(0, 1)
        inputs = _Stack(X, n_outputs, n_features, n_ones)
        self.X_values, self.X_stack_T = inputs.values, inputs.all.mT
        self.X_tangent, self.X_tangent_rows = inputs.tangents, inputs.tangent_rows
        delta = _Stack(X, n_outputs, n_outputs)
        self.output_delta, self.output_delta_stack = delta.values, delta.all
        self.output_chain = delta.tangent_rows
        delta.tangents.copy_(torch.eye(n_outputs, device=X.device)[:, None])


def _views(flat: Tensor, shapes: list) -> list[Tensor]:
    """Consecutive parts of a flat tensor, in shapes."""
    parts = flat.split([n_in * n_out for n_in, n_out in shapes])
    return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]
