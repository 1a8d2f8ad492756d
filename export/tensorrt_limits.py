"""What TensorRT can compute of an ONNX graph, as far as it is published: read before anybody waits for a build.

Sources: the operator table of the ONNX-TensorRT parser (docs/operators.md, TensorRT 10.15), and `ITopKLayer` and
`DataType` of the TensorRT API. A graph that passes may still be refused by a build; one that does not pass will be, or
cannot be in a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

OPSETS = (9, 20)
"""20 is the newest that every TensorRT from 10.0 on reads."""
LARGEST_K = 3840
_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
_NUMBERS = _FLOATS | {TensorProto.INT32, TensorProto.INT64}
_BOOL = {TensorProto.BOOL}
_ALL = _NUMBERS | _BOOL
PORT_TYPES = _ALL | {TensorProto.UINT8}
ELEMENTS = {
    **dict.fromkeys(
        (
            "AveragePool", "BatchNormalization", "Ceil", "Conv", "ConvTranspose", "Cos", "Elu", "Erf", "Exp", "Floor",
            "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish", "LeakyRelu", "Log", "LogSoftmax", "MatMul",
            "MaxPool", "PRelu", "Reciprocal", "Resize", "Round", "Selu", "Sigmoid", "Sin", "Softmax", "Softplus",
            "Sqrt", "Tanh",
        ),
        _FLOATS,
    ),
    **dict.fromkeys(
        (
            "Abs", "Add", "ArgMax", "ArgMin", "DepthToSpace", "Div", "Equal", "Greater", "GreaterOrEqual", "Less",
            "LessOrEqual", "Max", "Min", "Mod", "Mul", "Neg", "Pad", "Pow", "Range", "ReduceMax", "ReduceMean",
            "ReduceMin", "ReduceSum", "Relu", "Sign", "SpaceToDepth", "Sub", "Sum", "TopK",
            "Clip",  # the table says floats alone, but the parser makes minima and maxima of whole numbers
        ),
        _NUMBERS,
    ),
    **dict.fromkeys(
        (
            "Concat", "Constant", "ConstantOfShape", "Expand", "Flatten", "Gather", "GatherElements", "GatherND",
            "Identity", "Reshape", "Slice", "Split", "Squeeze", "Tile", "Transpose", "Trilu", "Unsqueeze", "Where",
        ),
        _ALL,
    ),
    **dict.fromkeys(("And", "Not", "Or", "Xor"), _BOOL),
    **dict.fromkeys(("Cast", "Shape"), PORT_TYPES),  # a shape layer takes any type
}  # fmt: skip
"""What the elements of an operator's inputs may be. Operators whose output is as long as what they find are not here:
there are no CUDA graphs with them. Nor are those that no localizer is made of."""


def unfit(model: onnx.ModelProto) -> list[str]:
    """Return what TensorRT would not take, in words; nothing if it is not known to refuse anything.

    Parameters
    ----------
    model : onnx.ModelProto
        As `to_onnx.trace` returns, or as read from a file.
    """
    return [*_of_file(model), *_of_ports(model), *_of_nodes(model)]


def _of_file(model: onnx.ModelProto) -> Iterator[str]:
    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            yield f"operators of {opset.domain}"
        elif not OPSETS[0] <= opset.version <= OPSETS[1]:
            yield f"opset {opset.version}: {OPSETS[0]} to {OPSETS[1]} can be read"


def _of_ports(model: onnx.ModelProto) -> Iterator[str]:
    weights = {tensor.name for tensor in model.graph.initializer}
    for port in (*model.graph.input, *model.graph.output):
        if port.name not in weights and port.type.tensor_type.elem_type not in PORT_TYPES:
            yield f"{port.name} is {_named(port.type.tensor_type.elem_type)}"


def _of_nodes(model: onnx.ModelProto) -> Iterator[str]:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    elements = {value.name: value.type.tensor_type.elem_type for value in (*graph.input, *graph.value_info)}
    elements |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type not in ELEMENTS:
            yield f"{node.name}: {node.op_type} is not supported, or is as long as what it finds"
            continue
        for name in filter(None, node.input):
            if elements.get(name) not in ELEMENTS[node.op_type]:
                yield f"{node.name}: {node.op_type} of {name}, which is {_named(elements.get(name, 0))}"
        yield from _of_constants(node, constants)


def _of_constants(node: onnx.NodeProto, constants: dict[str, np.ndarray]) -> Iterator[str]:
    if node.op_type == "TopK":
        k = constants.get(node.input[1])
        if k is None or int(k.max()) > LARGEST_K:
            yield f"{node.name}: TopK of {'what is not constant' if k is None else k.max()}, at most {LARGEST_K}"
    if node.op_type == "ReduceSum" and len(node.input) > 1 and node.input[1] not in constants:
        yield f"{node.name}: ReduceSum over axes that are not constant"
    if node.op_type == "Cast":
        to = next(attribute.i for attribute in node.attribute if attribute.name == "to")
        if to not in _ALL:
            yield f"{node.name}: Cast to {_named(to)}"


def _named(element: int) -> str:
    return str(TensorProto.DataType.Name(element)).lower()
