"""Names and signatures that the TensorRT engine uses, held against NVIDIA's own bindings; nothing is computed.

The bindings are on PyPI, the libraries under them are not: three libraries of empty functions stand in for those. So
all classes are there, and whatever would be made of them is null.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.stream.engines import fake_tensorrt

HERE = Path(__file__).parent
ENGINES = HERE.parents[2] / "stream" / "engines"
SOURCES = sorted(ENGINES.glob("tensorrt_*.py"))
VERSIONS = ["10.13.3.9", "10.16.1.11", "11.4.0.106"]
EMPTY = {
    "libnvinfer": ["createInferBuilder_INTERNAL", "createInferRefitter_INTERNAL", "createInferRuntime_INTERNAL",
                   "getBuilderPluginRegistry", "getPluginRegistry"],
    "libnvonnxparser": ["createNvOnnxParserRefitter_INTERNAL", "createNvOnnxParser_INTERNAL", "getNvOnnxParserVersion"],
    "libnvinfer_plugin": ["initLibNvInferPlugins"],
}  # fmt: skip
PRECISIONS = {"FP16", "BF16", "INT8", "FP8", "INT4", "OBEY_PRECISION_CONSTRAINTS", "PREFER_PRECISION_CONSTRAINTS"}

pytestmark = [
    pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"), reason="made for Linux on x86-64"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed"),
]


class Bindings:
    """One version of the bindings, unpacked, with empty libraries beside them."""

    def __init__(self, version: str, folder: Path) -> None:
        self.version, self.folder = version, folder
        if not (folder / "tensorrt.py").exists():
            self._unpack(self._wheel())
            for library, functions in EMPTY.items():
                self._compile(library, functions)
            # the package `tensorrt` is no more than this, but asks for the libraries when it is installed
            (folder / "tensorrt.py").write_text(
                "from tensorrt_bindings import *\nfrom tensorrt_bindings import __version__\n"
            )

    def run(self, *arguments: str) -> str:
        """Run Python with these bindings; the parent's folders come after."""
        paths = [str(self.folder), str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"LD_LIBRARY_PATH": str(self.folder), "PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=60)
        assert not done.returncode, done.stderr
        return done.stdout

    def read(self, *sources: Path) -> dict[str, object]:
        """Return what source files use, and what of it there is not."""
        return json.loads(self.run(str(HERE / "tensorrt_names.py"), *map(str, sources)))

    def _wheel(self) -> Path:
        package = f"tensorrt-cu13-bindings=={self.version}"
        command = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--retries", "1", package]
        try:
            subprocess.run(
                [sys.executable, "-m", *command, "--dest", self.folder], check=True, capture_output=True, timeout=50
            )
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{package} cannot be had: {str(error).splitlines()[0]}")
        (wheel,) = self.folder.glob("*.whl")
        return wheel

    def _unpack(self, wheel: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.folder)

    def _compile(self, library: str, functions: list[str]) -> None:
        name = f"{library}.so.{self.version.split('.')[0]}"
        source = "".join(f"void *{function}(void) {{ return 0; }}\n" for function in functions)
        subprocess.run(
            ["gcc", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-xc", "-", "-o", self.folder / name],
            input=source, text=True, check=True,
        )  # fmt: skip


@pytest.fixture(scope="module", params=VERSIONS)
def bindings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bindings:
    """Kept in pytest's cache from one session to the next, if it has one."""
    cache = getattr(request.config, "cache", None)
    name = f"tensorrt-bindings-{request.param}-py{sys.version_info.minor}"
    return Bindings(request.param, tmp_path_factory.mktemp(name) if cache is None else cache.mkdir(name))


def test_everything_that_is_used_is_there_and_takes_what_it_is_given(bindings: Bindings) -> None:
    assert len(SOURCES) == 3
    found = bindings.read(*SOURCES)
    assert found["version"] == bindings.version
    assert found["wrong"] == []


def test_what_is_used_was_really_found(bindings: Bindings) -> None:
    """Else the test before would prove nothing."""
    used = set(bindings.read(*SOURCES)["used"])
    source = "".join(path.read_text() for path in SOURCES)
    for name in ("execute_async_v3", "set_tensor_address", "set_input_shape", "set_device_memory", "infer_shapes"):
        assert source.count(f".{name}(")
        assert f"IExecutionContext.{name}" in used
    assert {"Builder.build_serialized_network", "OnnxParser.parse", "ParserError.desc", "ITensor.shape",
            "ICudaEngine.get_tensor_profile_shape", "Runtime.deserialize_cuda_engine", "ITimingCache.serialize",
            "IOptimizationProfile.set_shape", "BuilderFlag.TF32"} <= used  # fmt: skip


def test_no_precision_is_set(bindings: Bindings) -> None:
    used = bindings.read(*SOURCES)["used"]
    assert not [name for name in used if name.split(".")[-1] in PRECISIONS]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("trt.Bilder(log)", "there is no trt.Bilder"),
        ("config.set_flagg(trt.BuilderFlag.TF32)", "there is no IBuilderConfig.set_flagg"),
        ("config.set_flag(trt.BuilderFlag.FP17)", "there is no BuilderFlag.FP17"),
        ("config.set_flag(trt.BuilderFlag.TF32, True)", "does not fit"),
        ("config.set_flag(trt.TensorIOMode.INPUT)", "does not fit"),
        ("config.set_flag(flags=trt.BuilderFlag.TF32)", "does not fit"),
        ("config.num_optimization_profiles = 2", "IBuilderConfig.num_optimization_profiles cannot be set"),
        ("builder.create_network(0).get_input(0).shap", "there is no ITensor.shap"),
        ("trt.OnnxParser(log)", "does not fit"),
        ("[error.dessc() for error in [parser.get_error(i) for i in (1, 2)]]", "there is no ParserError.dessc"),
        ("runtime.deserialize_cuda_engine(b'').create_execution_context().execute_async_v2(1)",
         "there is no IExecutionContext.execute_async_v2"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_noticed(bindings: Bindings, tmp_path: Path, line: str, said: str) -> None:
    given = "builder: trt.Builder, parser: trt.OnnxParser, runtime: trt.Runtime, log: trt.ILogger"
    lines = ["import tensorrt as trt", f"def wrong({given}):", "    config = builder.create_builder_config()"]
    (tmp_path / "wrong.py").write_text("\n".join([*lines, f"    {line}", ""]))
    assert said in " ".join(bindings.read(tmp_path / "wrong.py")["wrong"])


def test_precision_flags_are_gone_from_11(bindings: Bindings, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("import tensorrt as trt\nflag = trt.BuilderFlag.FP16\n")
    gone = bindings.version.startswith("11")
    assert bindings.read(tmp_path / "old.py")["wrong"] == (["there is no BuilderFlag.FP16"] if gone else [])


REAL = """
import tensorrt as trt
from stream.engines.tensorrt_build import Log, add_profiles, build, failed, parsed
from stream.engines.tensorrt_context import Contexts, refuse_other
log = Log()
for severity in trt.ILogger.Severity.__members__.values():
    log.log(severity, str(severity).split(".")[-1])
print(log.told())
print(log.told())
print(int(trt.NetworkDefinitionCreationFlag.__members__["STRONGLY_TYPED"]))
print([trt.nptype(kind).__name__ for kind in (trt.DataType.FLOAT, trt.DataType.UINT8, trt.DataType.INT64)])
for make in (trt.Builder, trt.Runtime):
    try:
        make(log)
    except TypeError as error:
        print(str(error).splitlines()[0])
"""


def test_our_logger_is_one_of_theirs_and_our_files_can_be_imported(bindings: Bindings) -> None:
    """A wrong logger would be an incompatible argument; a right one comes as far as the empty library."""
    lines = bindings.run("-c", REAL).splitlines()
    assert lines[:2] == ["INTERNAL_ERROR; ERROR", "TensorRT does not say why"]
    assert int(lines[2]) in (0, 1)
    assert lines[3] == "['float32', 'uint8', 'int64']"
    assert lines[4:] == ["pybind11::init(): factory function returned nullptr"] * 2


def test_the_fake_has_no_name_that_theirs_have_not(bindings: Bindings) -> None:
    """`test_tensorrt_plan.py` is worth as much as its fake is like the real one."""
    names = fake_tensorrt.names()
    assert len(names) > 40
    code = "import json, sys, tensorrt as trt\nfrom operator import attrgetter\n"
    code += "for name in json.loads(sys.argv[1]): attrgetter(name)(trt)"
    bindings.run("-c", code, json.dumps(names))
