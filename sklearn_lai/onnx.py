"""Conversion of fitted models to ONNX, by skl2onnx.

A converted model needs neither this package nor Python: onnxruntime, and whatever else
runs ONNX, predicts with it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ._linear.base import BaseLaiLinear
from ._linear.cv import LaiLinearRegressorCV
from ._linear.regressor import LaiLinearRegressor
from ._mlp.base import BaseLaiMLP
from ._mlp.cv import LaiMLPRegressorCV
from ._mlp.regressor import LaiMLPRegressor

__all__ = ["register"]

ESTIMATORS = (
    LaiMLPRegressor,
    LaiMLPRegressorCV,
    LaiLinearRegressor,
    LaiLinearRegressorCV,
)


def register() -> None:
    """Make skl2onnx convert the estimators of this package.

    To be called once, before ``skl2onnx.to_onnx`` or ``skl2onnx.convert_sklearn``
    converts an estimator, or a pipeline or search with one. All activations and several
    outputs are converted. The result is of the type of the inputs that the model is
    converted for: float64 predicts what `predict` does, but for the activation 'gelu',
    which onnxruntime has in float32 only; float32 that but for rounding.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> import sklearn_lai.onnx
    >>> from skl2onnx import to_onnx  # doctest: +SKIP
    >>> sklearn_lai.onnx.register()  # doctest: +SKIP
    >>> converted = to_onnx(model, X[:1])  # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(
            "sklearn_lai.onnx needs skl2onnx: pip install skl2onnx."
        ) from error
    for estimator in ESTIMATORS:
        update_registered_converter(
            estimator,
            f"SklearnLai{estimator.__name__}",
            _set_shape,
            _convert,
            overwrite=True,
        )


def _set_shape(operator: Any) -> None:
    """Say what type and shape the output has."""
    from skl2onnx.common.data_types import guess_tensor_type

    [variable] = operator.inputs
    _, _, intercepts = _of_origin(operator.raw_operator, np.float64)
    tensor = guess_tensor_type(variable.type)
    operator.outputs[0].type = type(tensor)([None, len(intercepts[-1])])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add the operations of a fitted model to the graph."""
    from skl2onnx.algebra import onnx_ops as ops
    from skl2onnx.common.data_types import guess_numpy_type, guess_proto_type

    model, version = operator.raw_operator, container.target_opset
    [variable], [output] = operator.inputs, operator.outputs
    dtype, to = guess_numpy_type(output.type), guess_proto_type(output.type)
    make = _Maker(ops, version)
    hidden = make("Cast", variable, to=to)
    origin, coefs, intercepts = _of_origin(model, dtype)
    hidden = make("Sub", hidden, origin)
    last = len(coefs) - 1
    for layer, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        names = {"output_names": [output]} if layer == last else {}
        hidden = make("MatMul", hidden, coef.astype(dtype))
        hidden = make("Add", hidden, intercept.astype(dtype), **names)
        if layer < last:
            hidden = ACTIVATIONS[model.hidden_activation_](make, hidden, dtype)
    hidden.add_to(scope, container)


class _Maker:
    """Makes nodes of a graph by the names of their operations."""

    def __init__(self, ops: Any, version: int):
        self._ops, self._version = ops, version

    def __call__(self, name: str, *inputs: Any, **options: Any) -> Any:
        node = getattr(self._ops, f"Onnx{name}")
        return node(*inputs, op_version=self._version, **options)


def _silu(make: _Maker, x: Any, dtype: Any) -> Any:
    return make("Mul", x, make("Sigmoid", x))


def _softplus(make: _Maker, x: Any, dtype: Any) -> Any:
    # onnxruntime has no Softplus of float64.
    small = make("Exp", make("Neg", make("Abs", x)))
    rest = make("Log", make("Add", small, np.array([1], dtype)))
    return make("Add", make("Relu", x), rest)


def _gelu(make: _Maker, x: Any, dtype: Any) -> Any:
    from onnx.helper import np_dtype_to_tensor_dtype as as_onnx

    half, root = np.array([0.5], dtype), np.array([np.sqrt(2)], dtype)
    # onnxruntime has no Erf of float64.
    scaled = make("Cast", make("Div", x, root), to=as_onnx(np.dtype(np.float32)))
    erf = make("Cast", make("Erf", scaled), to=as_onnx(np.dtype(dtype)))
    return make("Mul", make("Mul", x, half), make("Add", erf, np.array([1], dtype)))


# The nodes of an activation, and what it does to a node.
ACTIVATIONS: Mapping[str, Callable[[_Maker, Any, Any], Any]] = {
    "identity": lambda make, x, dtype: x,
    "logistic": lambda make, x, dtype: make("Sigmoid", x),
    "tanh": lambda make, x, dtype: make("Tanh", x),
    "relu": lambda make, x, dtype: make("Relu", x),
    "softplus": _softplus,
    "silu": _silu,
    "gelu": _gelu,
}


def _of_origin(
    model: BaseLaiMLP | BaseLaiLinear, dtype: Any
) -> tuple[np.ndarray, Sequence[np.ndarray], Sequence[np.ndarray]]:
    """An origin amid the data, and the layers for features that are 0 there.

    Features far from 0 are then not multiplied before they are made small, which would
    cost float32 its digits.
    """
    if isinstance(model, BaseLaiMLP):
        origin = model.X_min_ / 2 + model.X_max_ / 2
        coefs, intercepts = model.coefs_, model.intercepts_
    else:
        moments = getattr(model, "_moments", None)
        origin = np.zeros(1) if moments is None else moments.features.mean
        coefs = [np.atleast_2d(model.coef_).T]
        intercepts = [np.atleast_1d(model.intercept_)]
    origin = np.broadcast_to(origin, len(coefs[0])).astype(dtype)
    at_origin = origin.astype(np.float64) @ coefs[0].astype(np.float64)
    return origin, coefs, [intercepts[0] + at_origin, *intercepts[1:]]
