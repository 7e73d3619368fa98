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

from itertools import pairwise

import torch
from torch import Tensor

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
        self._workspaces: dict[tuple[int, bool], _Workspace] = {}

    def layers(self, parameters: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Copies of the coefficients and intercepts in a tensor of parameters."""
        matrices = _views(parameters, [matrix.shape for matrix in self._matrices])
        if self.fit_intercept:
            coefs = [matrix[:-1].clone() for matrix in matrices]
            return coefs, [matrix[-1].clone() for matrix in matrices]
        coefs = [matrix.clone() for matrix in matrices]
        return coefs, [coef.new_zeros(coef.shape[1]) for coef in coefs]

    def is_coef(self) -> Tensor:
        """1 for each parameter that is a coefficient, 0 for intercepts."""
        mask = torch.ones_like(self.parameters)
        if self.fit_intercept:
            for view in _views(mask, [matrix.shape for matrix in self._matrices]):
                view[-1] = 0
        return mask

    def forward(
        self, X: Tensor, out: Tensor | None = None, *, with_slopes: bool = False
    ) -> Tensor:
        """Outputs, shape (n_samples, n_outputs), written into `out` if it is given.

        `X` has a last column of ones unless the network has no intercepts. The
        methods below refer to the last call, those of slopes to one `with_slopes`; what
        they return is valid until the next.
        """
        work = self._work = self._workspace(X, with_slopes)
        work.X = inputs = X
        for layer in work.hidden:
            torch.mm(inputs, layer.matrix, out=layer.z)
            self._activation.evaluate(layer.z, layer.value, layer.derivative)
            inputs = layer.inputs
        out = work.output if out is None else out
        return torch.mm(inputs, self._matrices[-1], out=out)

    def slopes(self) -> Tensor:
        """Slopes of the outputs, shape (n_outputs, n_samples, n_features)."""
        work, chain = self._work, self._work.output_chain
        for layer in work.hidden_reversed:
            torch.mm(chain, layer.next_coef_T, out=layer.chain_rows)
            torch.mul(layer.chain, layer.derivative, out=layer.chain_delta)
            chain = layer.chain_delta_rows
        torch.mm(chain, self._coefs_T[0], out=work.slope_rows)
        return work.slopes

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
        """Gradient of a function of outputs and slopes, given those of both.

        `slopes` must have been called for this batch.
        """
        work = self._work
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

    def _workspace(self, X: Tensor, with_slopes: bool) -> "_Workspace":
        key = len(X), with_slopes
        if key not in self._workspaces:
            self._workspaces[key] = self._make_workspace(X, with_slopes)
        return self._workspaces[key]

    def _make_workspace(self, X: Tensor, with_slopes: bool) -> "_Workspace":
        n_ones = int(self.fit_intercept)
        n_tangents = self.sizes[-1] if with_slopes else 0
        hidden = [
            _Hidden(X, n_tangents, n_ones, *of_layer)
            for of_layer in zip(
                self.sizes[1:-1],
                self._matrices[:-1],
                self._coefs_T[1:],
                self._gradients[1:],
                strict=True,
            )
        ]
        return _Workspace(X, self.sizes[-1], n_tangents, n_ones, hidden)


class _Workspace:
    """Buffers for batches of one size, with tangents of each output or of none.

    A stack has the rows of the values, then, once per output, those of the tangents
    or of the chain rule of the slopes. Other names are views into stacks; `_rows`
    flattens outputs and samples into one axis, `_T` transposes.
    """

    def __init__(
        self,
        X: Tensor,
        n_outputs: int,
        n_tangents: int,
        n_ones: int,
        hidden: list["_Hidden"],
    ):
        n_samples, n_features = len(X), X.shape[1] - n_ones
        self.X = X
        self.hidden, self.hidden_reversed = hidden, hidden[::-1]
        self.output = X.new_empty(n_samples, n_outputs)
        self.slopes = X.new_empty(n_tangents, n_samples, n_features)
        self.slope_rows = self.slopes.flatten(0, 1)

        X_stack, _, self.X_tangent = _stack(X, n_tangents, n_features, n_ones)
        self.X_values, self.X_tangent_rows = X_stack[:n_samples], X_stack[n_samples:]
        self.X_stack_T = X_stack.mT

        delta_stack, self.output_delta, chain = _stack(X, n_tangents, n_outputs, 0)
        chain.copy_(torch.eye(n_tangents, n_outputs)[:, None])
        self.output_delta_stack = delta_stack
        self.output_chain = delta_stack[n_samples:]


class _Hidden:
    """Buffers of one hidden layer, and the parameters before and after it."""

    def __init__(
        self,
        X: Tensor,
        n_tangents: int,
        n_ones: int,
        size: int,
        matrix: Tensor,
        next_coef_T: Tensor,
        next_gradient: Tensor,
    ):
        n_samples = len(X)
        self.matrix = matrix
        self.next_coef_T = next_coef_T
        self.next_gradient = next_gradient
        self.z = X.new_empty(n_samples, size)
        self.derivative = X.new_empty(n_samples, size)

        input_stack, self.value, self.tangent = _stack(X, n_tangents, size, n_ones)
        self.inputs, self.tangent_rows = (
            input_stack[:n_samples],
            input_stack[n_samples:],
        )
        self.inputs_T, self.input_stack_T = self.inputs.mT, input_stack.mT
        self.z_tangent = X.new_empty(n_tangents, n_samples, size)
        self.z_tangent_rows = self.z_tangent.flatten(0, 1)

        self.delta_stack, self.delta, self.chain_delta = _stack(X, n_tangents, size, 0)
        self.chain_delta_rows = self.delta_stack[n_samples:]
        self.chain = X.new_empty(n_tangents, n_samples, size)
        self.chain_rows = self.chain.flatten(0, 1)


def _stack(
    X: Tensor, n_tangents: int, size: int, n_ones: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Stack with `n_ones` columns of ones for the values, its values, its tangents."""
    n_samples = len(X)
    stack = X.new_zeros((1 + n_tangents) * n_samples, size + n_ones)
    stack[:n_samples, size:] = 1
    tangents = stack[n_samples:].unflatten(0, (n_tangents, n_samples))
    return stack, stack[:n_samples, :size], tangents[..., :size]


def _views(flat: Tensor, shapes: list) -> list[Tensor]:
    """Consecutive parts of a flat tensor, in shapes."""
    parts = flat.split([n_in * n_out for n_in, n_out in shapes])
    return [part.view(*shape) for part, shape in zip(parts, shapes, strict=True)]
