"""The exported graph beside TensorRT's published limits; no TensorRT is asked."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from export.tensorrt_limits import LARGEST_K, OPSETS, unfit
from stream.zoo import find


@pytest.fixture(scope="module")
def static(static_model: Path) -> onnx.ModelProto:
    return onnx.load(static_model)


@pytest.fixture
def changed(static: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.ModelProto.FromString(static.SerializeToString())


def test_the_static_graph_is_within_the_limits(static: onnx.ModelProto) -> None:
    assert unfit(static) == []


@pytest.mark.parametrize("name", ["2d-fast-fp16-static", "astigmatic-fast-fp16-static"])
def test_so_are_the_static_ones_that_ship(name: str) -> None:
    """One that was just made in float16: `tests/export/test_novelty.py`."""
    assert unfit(onnx.load(find(name))) == []


def test_the_usual_form_is_not() -> None:
    said = "; ".join(unfit(onnx.load(find("2d-fast"))))
    assert "frames is uint16" in said
    assert "NonZero" in said


def test_an_opset_that_is_too_new(changed: onnx.ModelProto) -> None:
    changed.opset_import[0].version = OPSETS[1] + 1
    assert unfit(changed)[0] == f"opset {OPSETS[1] + 1}: {OPSETS[0]} to {OPSETS[1]} can be read"


def test_operators_of_somebody_else(changed: onnx.ModelProto) -> None:
    changed.opset_import.append(helper.make_opsetid("com.somebody", 1))
    assert "operators of com.somebody" in unfit(changed)


@pytest.mark.parametrize(("rows", "fits"), [(LARGEST_K, True), (LARGEST_K + 1, False)])
def test_a_sort_that_is_too_long(changed: onnx.ModelProto, rows: int, fits: bool) -> None:
    name = next(node.input[1] for node in changed.graph.node if node.op_type == "TopK")
    for tensor in changed.graph.initializer:
        if tensor.name == name:
            was = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(was * 0 + rows, f"{name}"))
    assert unfit_of_small(changed, "TopK", name) == ([] if fits else [f"sort: TopK of {rows}, at most {LARGEST_K}"])


def unfit_of_small(model: onnx.ModelProto, operator: str, constant: str) -> list[str]:
    """Return what is said of one operator alone, with the constant that it has in a model."""
    (weights,) = (tensor for tensor in model.graph.initializer if tensor.name == constant)
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "y")]
    index = helper.make_tensor_value_info("at", TensorProto.INT64, ["n"])
    node = helper.make_node(operator, ["x", constant], ["y", "at"], name="sort")
    return unfit(helper.make_model(helper.make_graph([node], "small", ports[:1], [ports[1], index], [weights]),
                                   opset_imports=[helper.make_opsetid("", 20)]))  # fmt: skip


def small(operator: str, element: int, out: int | None = None, **attributes: object) -> onnx.ModelProto:
    """Return a graph of one operator on one input that is cast before."""
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])]
    nodes = [
        helper.make_node("Cast", ["x"], ["given"], name="before", to=element),
        helper.make_node(operator, ["given"], ["found"], name="it", **attributes),
        helper.make_node("Cast", ["found"], ["y"], name="after", to=TensorProto.FLOAT),
    ]
    graph = helper.make_graph(nodes, "small", ports, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


@pytest.mark.parametrize(
    ("operator", "element", "said"),
    [
        ("Abs", TensorProto.INT64, []),
        ("Abs", TensorProto.DOUBLE, ["before: Cast to double", "it: Abs of given, which is double",
                                     "after: Cast of found, which is double"]),
        ("Transpose", TensorProto.UINT8, ["before: Cast to uint8", "it: Transpose of given, which is uint8"]),
        ("Relu", TensorProto.INT8, ["before: Cast to int8", "it: Relu of given, which is int8",
                                    "after: Cast of found, which is int8"]),
        ("Floor", TensorProto.FLOAT16, []),
        ("Unique", TensorProto.FLOAT, ["it: Unique is not supported, or is as long as what it finds"]),
    ],
)  # fmt: skip
def test_elements_that_an_operator_does_not_take(operator: str, element: int, said: list[str]) -> None:
    assert unfit(small(operator, element)) == said
