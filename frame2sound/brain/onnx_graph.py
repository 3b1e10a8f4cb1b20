"""Build graphs of ONNX: operators by name, on values and constants."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.weights import Weights

OPSET, IR_VERSION = 18, 9
"""Versions that runtimes since 2023 read."""


class OnnxGraph:
    """A graph that grows operator by operator; values are names.

    Parameters
    ----------
    onnx : module
        The package ``onnx``.
    """

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def input(self, name: str, shape: tuple[int, ...], kind: str = "FLOAT") -> str:
        """Add an input, and return its value."""
        self.inputs.append(self._described(name, shape, kind))
        return name

    def output(self, name: str, value: str, shape: tuple[int, ...], kind: str = "FLOAT") -> None:
        """Give a value out under a name."""
        self._nodes.append(self.onnx.helper.make_node("Identity", [value], [name]))
        self.outputs.append(self._described(name, shape, kind))

    def constant(self, array: Any) -> str:
        """Return the value of an array; numbers with a point are float32."""
        values = np.asarray(array)
        if values.dtype.kind == "f":
            values = values.astype(np.float32)
        name = f"constant_{len(self._constants)}"
        self._constants.append(
            self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name)
        )
        return name

    def apply(self, kind: str, *values: str, **settings: Any) -> str:
        """Return the value of an operator."""
        name = f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(self.onnx.helper.make_node(kind, list(values), [name], **settings))
        return name

    def linear(self, values: str, weights: Weights, name: str) -> str:
        """Return ``(n, outputs)`` of values ``(n, inputs)``; see `numpy_network.Linear`."""
        weight, bias = (self.constant(weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.apply("Gemm", values, weight, bias, transB=1)

    def reshape(self, values: str, *shape: int) -> str:
        """Return values in another shape."""
        return self.apply("Reshape", values, self.constant(np.array(shape, np.int64)))

    def rows(self, values: str, *numbers: int) -> str:
        """Return rows of values."""
        return self.apply("Gather", values, self.constant(np.array(numbers, np.int64)), axis=0)

    def columns(self, values: str, begin: int, end: int) -> str:
        """Return columns ``begin`` to ``end`` of values ``(n, width)``."""
        numbers = np.arange(begin, end, dtype=np.int64)
        return self.apply("Gather", values, self.constant(numbers), axis=1)

    def concatenate(self, values: list[str], axis: int = 1) -> str:
        """Return values beside each other."""
        return values[0] if len(values) == 1 else self.apply("Concat", *values, axis=axis)

    def reduce(self, kind: str, values: str, axis: int, *, keep: bool = False) -> str:
        """Return the maximum, mean or sum over an axis."""
        axes = self.constant(np.array([axis], np.int64))
        return self.apply(f"Reduce{kind}", values, axes, keepdims=int(keep))

    def scaled(self, values: str, factor: float | NDArray[Any]) -> str:
        """Return values times a constant."""
        return self.apply("Mul", values, self.constant(np.asarray(factor, np.float32)))

    def model(self, metadata: dict[str, str]) -> Any:
        """Return the checked model."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self._nodes, "frame2sound", self.inputs, self.outputs, self._constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="frame2sound",
        )
        helper.set_model_props(model, metadata)
        self.onnx.checker.check_model(model, full_check=True)
        return model

    def _described(self, name: str, shape: tuple[int, ...], kind: str) -> Any:
        element = getattr(self.onnx.TensorProto, kind)
        return self.onnx.helper.make_tensor_value_info(name, element, shape)
