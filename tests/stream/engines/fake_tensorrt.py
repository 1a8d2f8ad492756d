"""A fake of the `tensorrt` package on a fake device: a plan is the ONNX file, and ONNX Runtime computes it.

It refuses calls in another order than the real one asks for, as far as that is documented. It proves that the engine's
parts fit together and nothing about TensorRT itself.
"""

import enum
import json
import types
import weakref
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime as ort

from export.card import METADATA_KEY, Card
from tests.stream.engines.fake_cuda import FakeCuda, computed

ELEMENTS = {1: np.float32, 2: np.uint8, 4: np.uint16, 7: np.int64}


class DataType(enum.Enum):
    FLOAT = np.float32
    UINT8 = np.uint8
    INT64 = np.int64


class NetworkDefinitionCreationFlag(enum.IntEnum):
    STRONGLY_TYPED = 1


class BuilderFlag(enum.Enum):
    TF32 = 1


class ExecutionContextAllocationStrategy(enum.Enum):
    USER_MANAGED = 2


class TensorIOMode(enum.Enum):
    INPUT = 1
    OUTPUT = 2


class TensorLocation(enum.Enum):
    DEVICE = 0
    HOST = 1


class Severity(enum.Enum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class ILogger:
    Severity = Severity


class ParserError:
    def desc(self) -> str:
        return "no importer"

    def node_name(self) -> str:
        return "node_7"

    def node_operator(self) -> str:
        return "NonZero"


class ITensor:
    def __init__(self, name: str) -> None:
        self.name, self.shape = name, None


class INetworkDefinition:
    def __init__(self) -> None:
        self._model, self._inputs = b"", []

    @property
    def num_inputs(self) -> int:
        return len(self._inputs)

    def get_input(self, index: int) -> ITensor:
        return self._inputs[index]


class OnnxParser:
    def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
        self._network = network

    def parse(self, model: bytes) -> bool:
        graph = onnx.ModelProto.FromString(model).graph
        self._network._model, self._network._inputs = model, [ITensor(port.name) for port in graph.input]
        return all(node.op_type != "NonZero" for node in graph.node)

    @property
    def num_errors(self) -> int:
        return 2

    def get_error(self, index: int) -> ParserError:
        return ParserError()


class IOptimizationProfile:
    def __init__(self) -> None:
        self._shapes: dict[str, tuple[int, ...]] = {}

    def set_shape(self, input: str, min: tuple[int, ...], opt: tuple[int, ...], max: tuple[int, ...]) -> None:
        assert min == opt == max
        self._shapes[input] = min


class ITimingCache:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def serialize(self) -> bytes:
        return self._content + b"."


class IBuilderConfig:
    def __init__(self) -> None:
        self._profiles, self._flags, self._timings = [], {BuilderFlag.TF32}, None

    def clear_flag(self, flag: BuilderFlag) -> None:
        self._flags.discard(flag)

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        self._profiles.append(profile._shapes)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
        return ITimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        if cache._content.startswith(b"another device"):
            return False
        self._timings = cache
        return True


class Builder:
    fails = ""

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        assert flags == 1 << NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return INetworkDefinition()

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile()

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> bytes | None:
        assert not config._flags
        assert config._timings is not None
        if Builder.fails:
            self._logger.log(Severity.ERROR, Builder.fails)
            return None
        shapes = {tensor.name: tensor.shape for tensor in network._inputs}
        return json.dumps({"profiles": config._profiles, "shapes": shapes}).encode() + b"\n" + network._model


class Runtime:
    cuda: FakeCuda

    def __init__(self, logger: ILogger) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> "ICudaEngine | None":
        if serialized_engine == b"null":
            self._logger.log(Severity.ERROR, "Serialization assertion failed")
            return None
        return ICudaEngine(serialized_engine)


class ICudaEngine:
    def __init__(self, plan: bytes) -> None:
        facts, _, model = plan.partition(b"\n")
        self._facts, self._model = json.loads(facts), onnx.ModelProto.FromString(model)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._ports = [*self._model.graph.input, *self._model.graph.output]
        self._contexts = 0

    @property
    def num_io_tensors(self) -> int:
        return len(self._ports)

    @property
    def num_optimization_profiles(self) -> int:
        return len(self._facts["profiles"])

    def get_tensor_name(self, index: int) -> str:
        return self._ports[index].name

    def get_tensor_dtype(self, name: str) -> DataType:
        (port,) = (port for port in self._ports if port.name == name)
        return DataType(ELEMENTS[port.type.tensor_type.elem_type])

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self._facts["shapes"] else TensorIOMode.OUTPUT

    def get_tensor_location(self, name: str) -> TensorLocation:
        return TensorLocation.DEVICE

    def is_shape_inference_io(self, name: str) -> bool:
        return False

    def get_tensor_shape(self, name: str) -> list[int]:
        return self._facts["shapes"][name]

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[list[int]]:
        return [self._facts["profiles"][profile_index][name]] * 3

    def get_device_memory_size_for_profile_v2(self, profile_index: int) -> int:
        return (self._facts["profiles"][profile_index]["frames"][0] + 8) << 20

    def create_execution_context(self, strategy: ExecutionContextAllocationStrategy) -> "IExecutionContext":
        assert strategy is ExecutionContextAllocationStrategy.USER_MANAGED
        self._contexts += 1
        return IExecutionContext(self)


ALIVE: "weakref.WeakSet[IExecutionContext]" = weakref.WeakSet()
"""Contexts that somebody holds."""


class IExecutionContext:
    cuda: FakeCuda

    def __init__(self, engine: ICudaEngine) -> None:
        ALIVE.add(self)
        self._engine, self._profile, self._bucket = engine, None, None
        self._memory, self._pointers, self._captured = None, {}, False

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        self._profile = self._engine._facts["profiles"][profile_index]
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert self._profile is not None, "the profile comes first"
        self._bucket = shape[0]
        return list(shape) == self._profile[name]

    def set_device_memory(self, memory: int, size: int) -> None:
        assert self._bucket, "how much is needed is not known before"
        assert size >= (self._bucket + 8) << 20
        self._memory = (memory, size)

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._pointers[name] = memory
        return True

    def infer_shapes(self) -> list[str]:
        return [] if self._bucket else ["frames"]

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        card, (height, width) = self._card(), self._engine._facts["shapes"]["offset"]
        rows = -(-height // 64) * -(-width // 64) * card.rows_per_block
        features = tuple(self._engine._facts["shapes"]["context"])
        shapes = {"table": (self._bucket, rows, len(card.columns)), "count": (self._bucket,), "context_out": features}
        return shapes[name]

    def execute_async_v3(self, stream_handle: int) -> bool:
        assert set(self._pointers) == {port.name for port in self._engine._ports}, "an address is missing"
        cuda, shape = IExecutionContext.cuda, tuple(self._engine._facts["shapes"]["offset"])
        run = computed(cuda, self._engine._session, self._card(), shape, self._bucket, self._pointers)

        def begun() -> Callable[[], None]:
            return lambda: (cuda.array(*self._memory[:1], self._memory[1:], np.uint8), run())[1]

        cuda.enqueue(stream_handle, begun)
        return True

    def _card(self) -> Card:
        return Card.from_json(
            next(entry.value for entry in self._engine._model.metadata_props if entry.key == METADATA_KEY)
        )


CLASSES = [
    DataType, NetworkDefinitionCreationFlag, BuilderFlag, ExecutionContextAllocationStrategy, TensorIOMode,
    TensorLocation, ILogger, ParserError, ITensor, INetworkDefinition, OnnxParser, IOptimizationProfile, ITimingCache,
    IBuilderConfig, Builder, Runtime, ICudaEngine, IExecutionContext,
]  # fmt: skip


def package(cuda: FakeCuda) -> types.ModuleType:
    """Return what `import tensorrt` should give."""
    made = types.ModuleType("tensorrt")
    for kind in CLASSES:
        setattr(made, kind.__name__, kind)
    made.nptype, made.__version__ = (lambda kind: kind.value), "10.16.1.11"
    IExecutionContext.cuda = cuda
    return made


def names() -> list[str]:
    """Return all that it has which the real package must have too."""
    own = {"Builder.fails", "Runtime.cuda", "IExecutionContext.cuda"}
    members = [f"{kind.__name__}.{name}" for kind in CLASSES for name in vars(kind) if not name.startswith("_")]
    return sorted({*members, *(kind.__name__ for kind in CLASSES), "nptype", "__version__"} - own)
