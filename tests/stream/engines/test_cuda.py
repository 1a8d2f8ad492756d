"""The CUDA device through cuda-python, as far as that can be had without one."""

import ast
from operator import attrgetter
from pathlib import Path

import pytest

from stream.engines.cuda_driver import driver_version
from stream.errors import EngineFault, ModelError, OutOfMemory

runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-python is not installed")

from stream.engines.cuda import Cuda, Graph, Held, _checked  # noqa: E402


def has_driver() -> bool:
    try:
        driver_version()
    except ModelError:
        return False
    return True


no_device = pytest.mark.skipif(has_driver(), reason="there is a CUDA device here")


@no_device
def test_the_device_is_not_touched_without_a_driver() -> None:
    with pytest.raises(ModelError, match=r"not usable: .*NVIDIA driver"):
        Cuda()


@no_device
@pytest.mark.parametrize(
    "call",
    [
        lambda cuda: cuda.facts(),
        lambda cuda: cuda.memory(16),
        lambda cuda: cuda.pinned((2, 3), "u1"),
        lambda cuda: cuda.stream(),
        lambda cuda: cuda.event(),
        lambda cuda: cuda.copy(1 << 20, 1 << 21, 16, 5),
        lambda cuda: cuda.zero(1 << 20, 16, 5),
        lambda cuda: cuda.record(5, 6),
        lambda cuda: cuda.wait(5),
        lambda cuda: cuda.synchronize(5),
        lambda cuda: cuda.captured(5, lambda: None),
        lambda cuda: cuda.launch(Graph(5, int), 6),
    ],
)
def test_cuda_python_takes_what_it_is_given(call) -> None:
    """Without a driver it says so only after it has understood its arguments; what it does not take is a TypeError."""
    with pytest.raises(EngineFault, match=r"cudaErrorInsufficientDriver|cudaErrorNoDevice"):
        call(Cuda.__new__(Cuda))


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        ("cudaErrorMemoryAllocation", OutOfMemory, "out of memory"),
        ("cudaErrorIllegalAddress", EngineFault, "illegal memory access"),
        ("cudaErrorStreamCaptureUnsupported", EngineFault, "stream is capturing"),
    ],
)
def test_what_an_error_of_cuda_becomes(status: str, kind: type[EngineFault], said: str) -> None:
    with pytest.raises(EngineFault) as fault:
        _checked((getattr(runtime.cudaError_t, status), None))
    assert type(fault.value) is kind
    assert said in str(fault.value)
    assert status in str(fault.value)
    assert fault.value.remedy


def test_what_is_freed_is_freed_once() -> None:
    freed = list[int]()
    held = Held(7, lambda: freed.append(7))
    held.free()
    held.free()
    assert freed == [7]


def test_all_names_of_cuda_python_that_are_used_are_there() -> None:
    """Also of what is only called where a device is."""
    source = Path(Cuda.__init__.__code__.co_filename).read_text()
    used = {ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    names = {name.removeprefix("cudart.") for name in used if name.startswith("cudart.")}
    assert {"cudaGraphInstantiate", "cudaMemcpyKind.cudaMemcpyDefault", "cudaStreamNonBlocking"} <= names
    for name in names:
        attrgetter(name)(runtime)
    properties = {name.split(".")[1] for name in used if name.startswith("properties.")}
    assert {"major", "minor", "multiProcessorCount"} <= properties
    for name in properties:
        getattr(runtime.cudaDeviceProp, name)


@pytest.mark.parametrize("free", ["cudaFree", "cudaFreeHost", "cudaStreamDestroy", "cudaEventDestroy",
                                  "cudaGraphDestroy", "cudaGraphExecDestroy"])  # fmt: skip
@no_device
def test_numbers_are_taken_for_handles(free: str) -> None:
    """As above: it would be a TypeError."""
    status, *_ = getattr(runtime, free)(1 << 20)
    assert status != runtime.cudaError_t.cudaSuccess
    assert int(runtime.cudaStream_t(5)) == int(runtime.cudaEvent_t(5)) == int(runtime.cudaGraphExec_t(5)) == 5
