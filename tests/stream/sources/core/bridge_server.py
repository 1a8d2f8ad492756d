"""A stand-in for a running Micro-Manager: it speaks the protocol of its bridge, and a real Core with a real demo camera
is behind it. So pycro-manager's own client is tested over a real socket, without Java.

    python bridge_server.py PORT CONFIG [buffer_mb]

What it stands in for is the server of Micro-Manager 2 (version 5.1.0 of the protocol), as far as a Core source uses it.
"""

import json
import sys
from itertools import count
from typing import Any

import mm_test_adapters
import numpy as np
import pymmcore
import zmq

TEXT, FLAG, WHOLE, REAL = "java.lang.String", "boolean", "int", "double"
CORE = {
    "getCameraDevice": [], "getImageWidth": [], "getImageHeight": [], "getImageBitDepth": [], "getBytesPerPixel": [],
    "getNumberOfComponents": [], "getExposure": [], "setExposure": [REAL], "getPixelSizeUm": [], "getROI": [],
    "getVersionInfo": [], "getLoadedDevices": [], "getDeviceLibrary": [TEXT], "getBufferTotalCapacity": [],
    "getRemainingImageCount": [], "isSequenceRunning": [], "isBufferOverflowed": [], "popNextTaggedImage": [],
    "startSequenceAcquisition": [WHOLE, REAL, FLAG], "stopSequenceAcquisition": [], "hasProperty": [TEXT, TEXT],
    "getProperty": [TEXT, TEXT], "setProperty": [TEXT, TEXT, TEXT], "hasPropertyLimits": [TEXT, TEXT],
    "getPropertyLowerLimit": [TEXT, TEXT], "getPropertyUpperLimit": [TEXT, TEXT], "setROI": [WHOLE] * 4,
}  # fmt: skip
OTHERS = {"mmcorej.StrVector": {"size": [], "get": [WHOLE]}}
FIELDS = {"mmcorej.TaggedImage": ["pix", "tags"], "java.awt.Rectangle": ["x", "y", "width", "height"]}
JAVA_WHOLE = ("Width", "Height", "BitDepth")
"""Tags that come as numbers from Java; the others are text there too."""


class Server:
    """Answers one request after the other."""

    def __init__(self, core: pymmcore.CMMCore) -> None:
        self._core, self._objects, self._names = core, {}, count(1)
        self._bytes: list[bytes] = []

    def answer(self, request: dict[str, Any]) -> list[bytes]:
        self._bytes = []
        try:
            reply = getattr(self, request["command"].replace("-", "_"))(request)
        except (RuntimeError, IndexError, ValueError) as error:
            reply = {"type": "exception", "value": f"java.lang.Exception: {error}"}
        return [json.dumps(reply).encode("iso-8859-1"), *self._bytes]

    def connect(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"type": "none", "version": "5.1.0"}

    def get_constructors(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"type": "none", "api": [{"name": request["classpath"], "arguments": []}]}

    def constructor(self, request: dict[str, Any]) -> dict[str, Any]:
        assert request["classpath"] == "mmcorej.CMMCore"
        return self._shadow("mmcorej.CMMCore", CORE, self._core)

    def run_method(self, request: dict[str, Any]) -> dict[str, Any]:
        target, name, arguments = self._objects[request["hash-code"]], request["name"], request["arguments"]
        if target is not self._core:
            return self._value(len(target) if name == "size" else target[arguments[0]])
        if name == "popNextTaggedImage":
            return self._tagged()
        return self._value(getattr(self._core, name)(*arguments))

    def get_field(self, request: dict[str, Any]) -> dict[str, Any]:
        value = self._objects[request["hash-code"]][request["name"]]
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, dict):
            return {"type": "object", "class": "JSONObject", "value": json.dumps(value)}
        return self._value(value)

    def destructor(self, request: dict[str, Any]) -> dict[str, Any]:
        del self._objects[request["hash-code"]]
        return {"type": "none"}

    def _tagged(self) -> dict[str, Any]:
        metadata = pymmcore.Metadata()
        pixels = self._core.popNextImageMD(metadata)
        tags = {name: metadata.GetSingleTag(name).GetValue() for name in metadata.GetKeys()}
        tags |= {name: int(tags[name]) for name in JAVA_WHOLE if name in tags}
        return self._shadow("mmcorej.TaggedImage", {}, {"pix": pixels.ravel(), "tags": tags})

    def _value(self, value: Any) -> dict[str, Any]:
        if value is None:
            return {"type": "null"}
        if isinstance(value, tuple) and value and isinstance(value[0], str):
            return self._shadow("mmcorej.StrVector", OTHERS["mmcorej.StrVector"], value)
        if isinstance(value, (tuple, list)):
            names = FIELDS["java.awt.Rectangle"]
            return self._shadow("java.awt.Rectangle", {}, dict(zip(names, value, strict=True)))
        return {"type": "string" if isinstance(value, str) else "primitive", "value": value}

    def _array(self, values: np.ndarray) -> dict[str, Any]:
        name = next(self._names)
        self._bytes += [name.to_bytes(4, sys.byteorder), values.tobytes()]
        kind = {1: "byte-array", 2: "short-array"}[values.dtype.itemsize]
        return {"type": kind, "value": f"[B@{name:x}"}

    def _shadow(self, kind: str, methods: dict[str, list[str]], value: Any) -> dict[str, Any]:
        name = str(next(self._names))
        self._objects[name] = value
        api = [{"name": m, "arguments": a, "return-type": "java.lang.Object"} for m, a in methods.items()]
        return {
            "type": "unserialized-object", "class": kind, "hash-code": name, "port": 0, "interfaces": [],
            "fields": FIELDS.get(kind, []), "api": api,
        }  # fmt: skip


def main() -> None:
    port, config, buffer_mb = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 64
    core = pymmcore.CMMCore()
    core.setDeviceAdapterSearchPaths([mm_test_adapters.device_adapter_path()])
    core.loadSystemConfiguration(config)
    core.setCircularBufferMemoryFootprint(buffer_mb)
    server = Server(core)
    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        bound = socket.bind_to_random_port("tcp://127.0.0.1") if not port else socket.bind(f"tcp://127.0.0.1:{port}")
        print(port or bound, flush=True)
        while True:
            request = json.loads(socket.recv_multipart()[0].decode("iso-8859-1"))
            socket.send_multipart(server.answer(request))


if __name__ == "__main__":
    main()
