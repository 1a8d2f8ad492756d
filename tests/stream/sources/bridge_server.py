"""A stand-in for Micro-Manager's server: speaks the bridge's protocol, and hands on calls to a real core.

    python tests/stream/sources/bridge_server.py [--config FILE.cfg | --stack FILE.npy --exposure-ms 5 | --modulator 64]

The core is that of pymmcore with the devices of a configuration, or that of pymmcore-plus with a camera in Python that
shows the frames of a stack, or with a modulator in Python. It prints its port. Each line on its input,
`["setROI", 0, 0, 32, 32]`, is a call that somebody at the microscope makes meanwhile; it prints what the call gives, or
what went wrong.
"""

import argparse
import itertools
import json
import queue
import sys
import threading

import numpy as np
import pymmcore
import zmq

NUMBERS = {"Width", "Height"}
BOOL, INT, REAL, TEXT, NOTHING = "boolean", "int", "double", "java.lang.String", "void"
METHODS = {
    "startSequenceAcquisition": ([INT, REAL, BOOL], NOTHING), "stopSequenceAcquisition": ([], NOTHING),
    "isSequenceRunning": ([], BOOL), "isBufferOverflowed": ([], BOOL), "getRemainingImageCount": ([], INT),
    "popNextTaggedImage": ([], "mmcorej.TaggedImage"), "getCameraDevice": ([], TEXT),
    "getROI": ([], "java.awt.Rectangle"),
    "setROI": ([INT, INT, INT, INT], NOTHING), "getExposure": ([], REAL), "setExposure": ([REAL], NOTHING),
    "getImageWidth": ([], INT), "getImageHeight": ([], INT), "getImageBitDepth": ([], INT),
    "getBytesPerPixel": ([], INT),
    "getNumberOfComponents": ([], INT), "getNumberOfCameraChannels": ([], INT), "getPixelSizeUm": ([], REAL),
    "hasProperty": ([TEXT, TEXT], BOOL), "getProperty": ([TEXT, TEXT], TEXT),
    "getLoadedDevices": ([], "mmcorej.StrVector"), "getDeviceLibrary": ([TEXT], TEXT),
    "getDeviceDescription": ([TEXT], TEXT), "getVersionInfo": ([], TEXT), "getAPIVersionInfo": ([], TEXT),
    "getSLMDevice": ([], TEXT), "getSLMWidth": ([TEXT], INT), "getSLMHeight": ([TEXT], INT),
    "getSLMBytesPerPixel": ([TEXT], INT), "setSLMImage": ([TEXT, "byte[]"], NOTHING),
    "displaySLMImage": ([TEXT], NOTHING),
    "getCircularBufferMemoryFootprint": ([], INT), "setCircularBufferMemoryFootprint": ([INT], NOTHING),
}  # fmt: skip
OF_VECTORS = {"size": ([], INT), "get": ([INT], TEXT)}
NONE: dict[str, tuple[list[str], str]] = {}


class StrVector:
    """A list as Java hands it out: an object that is asked for each string."""

    methods = OF_VECTORS
    fields = ()

    def __init__(self, strings):
        self._strings = list(strings)

    def size(self):
        return len(self._strings)

    def get(self, place):
        return self._strings[place]


class Rectangle:
    methods = NONE
    fields = ("x", "y", "width", "height")

    def __init__(self, roi):
        self.x, self.y, self.width, self.height = map(int, roi)


class TaggedImage:
    methods = NONE
    fields = ("pix", "tags")

    def __init__(self, core):
        found = pymmcore.Metadata()
        self.pix = core.popNextImageMD(found)
        tags = {key: found.GetSingleTag(key).GetValue() for key in found.GetKeys()}
        self.tags = {key: int(value) if key in NUMBERS else value for key, value in tags.items()}


class CMMCore:
    """What the bridge's clients may call: the methods of `METHODS`, for a real core."""

    methods, fields = METHODS, ()

    def __init__(self, core):
        self._core = core

    def __getattr__(self, name):
        return getattr(self._core, name)

    def popNextTaggedImage(self):
        return TaggedImage(self._core)

    def getROI(self):
        return Rectangle(self._core.getROI())

    def setSLMImage(self, label, data):
        flat = np.frombuffer(data, np.uint8)
        self._core.setSLMImage(label, flat.reshape(self._core.getSLMHeight(label), self._core.getSLMWidth(label)))

    def slmSum(self, label):
        return int(self._core.getSLMImage(label).astype(int).sum())

    def getLoadedDevices(self):
        return StrVector(self._core.getLoadedDevices())


class Server:
    """Answers one request after the other, like the real one's thread."""

    def __init__(self, core, version):
        self._core, self._version = CMMCore(core), version
        self._objects, self._numbers = {}, itertools.count(1)
        self._socket = zmq.Context.instance().socket(zmq.REP)
        self.port = self._socket.bind_to_random_port("tcp://127.0.0.1")

    def serve(self, asked: queue.SimpleQueue):
        while True:
            while not asked.empty():
                self._obey(json.loads(asked.get()))
            if self._socket.poll(5):
                text, *arrays = self._socket.recv_multipart()
                request = json.loads(text.decode("iso-8859-1"))
                places = [
                    place for place, value in enumerate(request.get("arguments", [])) if str(value).startswith("@")
                ]
                for place, data in zip(places, arrays[1::2], strict=True):
                    request["arguments"][place] = data
                self._socket.send_multipart(self._answer(request))

    def _obey(self, call):
        try:
            print(getattr(self._core, call[0])(*call[1:]), flush=True)
        except Exception as error:  # noqa: BLE001  the test that asked reads it
            print(error, flush=True)

    def _answer(self, request):
        try:
            return self._do(request)
        except Exception as error:  # noqa: BLE001  as the real server does
            trace = f"java.lang.Exception: {error}\n\tat mmcorej.MMCoreJJNI(Native Method)"
            return self._json({"type": "exception", "value": trace})

    def _do(self, request):
        command = request["command"]
        if command == "connect":
            return self._json({"type": "none", "version": self._version})
        if command == "get-constructors":
            return self._json({"type": "none", "api": [{"name": request["classpath"], "arguments": []}]})
        if command == "constructor":
            return self._value(self._core, "mmcorej.CMMCore")
        if command == "destructor":
            del self._objects[request["hash-code"]]
            return self._json({"type": "none"})
        target = self._objects[request["hash-code"]]
        if command == "get-field":
            return self._value(getattr(target, request["name"]))
        arguments, returns = target.methods[request["name"]]
        assert request["argument-types"] == arguments
        return self._value(getattr(target, request["name"])(*request["arguments"]), returns)

    def _value(self, value, java_class=None):
        """Write a value as the bridge does: numbers and text as they are, pixels beside, objects by a number."""
        if value is None:
            return self._json({"type": "none"})
        if isinstance(value, str):
            return self._json({"type": "string", "value": value})
        if isinstance(value, bool | int | float):
            return self._json({"type": "primitive", "value": value})
        if isinstance(value, dict):
            return self._json({"type": "object", "class": "JSONObject", "value": json.dumps(value)})
        if isinstance(value, np.ndarray):
            kind = {1: "byte-array", 2: "short-array", 4: "int-array"}[value.dtype.itemsize]
            number = next(self._numbers)
            text = self._json({"type": kind, "value": f"[B@{number:x}"})
            return [*text, number.to_bytes(4, "little"), np.ascontiguousarray(value).tobytes()]
        number = next(self._numbers)
        self._objects[number] = value
        api = [{"name": n, "arguments": a, "return-type": r} for n, (a, r) in value.methods.items()]
        described = {"type": "unserialized-object", "class": java_class, "hash-code": number, "interfaces": []}
        return self._json(described | {"fields": list(value.fields), "api": api})

    def _json(self, message):
        return [json.dumps(message).encode("iso-8859-1")]


def with_devices(config):
    """Return a core with the devices of a configuration."""
    import mm_test_adapters

    core = pymmcore.CMMCore()
    core.setDeviceAdapterSearchPaths([mm_test_adapters.device_adapter_path()])
    core.loadSystemConfiguration(config)
    return core


def with_stack(path, exposure_ms, lose):
    """Return a core whose camera shows the frames of a stack one after the other, then the last one again and again.

    Fields are multiples of four pixels. Its tag `Picture` is the number that the camera itself counts. Frames that are
    to be lost never reach the core; `Note` holds what a bridge may stumble over.
    """
    import time

    from pymmcore_plus.experimental.unicore import SimpleCameraDevice, UniMMCore

    stack = np.load(path)

    class Camera(SimpleCameraDevice):
        def __init__(self):
            super().__init__()
            self._exposure_ms = exposure_ms
            self._pictures = (n for n in itertools.count() if n not in lose)

        def get_exposure(self):
            return self._exposure_ms

        def set_exposure(self, exposure):
            self._exposure_ms = exposure

        def sensor_shape(self):
            return stack.shape[1:]

        def set_roi(self, x, y, width, height):
            super().set_roi(x, y, width - width % 4, height - height % 4)

        def dtype(self):
            return stack.dtype

        def snap(self, buffer):
            time.sleep(self._exposure_ms / 1000)
            picture = next(self._pictures)
            buffer[:] = stack[min(picture, len(stack) - 1)]
            return {"Picture": str(picture), "Note": "somebody@microscope"}

    core = UniMMCore()
    core.loadPyDevice("Camera", Camera())
    core.initializeDevice("Camera")
    core.setCameraDevice("Camera")
    return core


def with_modulator(side_px):
    """Return a core with a square modulator of so many pixels, and no camera."""
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent))
    from modulators import modulator_core

    return modulator_core((side_px, side_px))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config")
    parser.add_argument("--stack")
    parser.add_argument("--exposure-ms", type=float, default=5.0)
    parser.add_argument("--modulator", type=int, help="pixels along its side")
    parser.add_argument("--version", default="5.1.0")
    parser.add_argument("--lose", type=int, nargs="*", default=())
    options = parser.parse_args()
    if options.modulator:
        core = with_modulator(options.modulator)
    elif options.config:
        core = with_devices(options.config)
    else:
        core = with_stack(options.stack, options.exposure_ms, options.lose)
    server, asked = Server(core, options.version), queue.SimpleQueue()
    threading.Thread(target=lambda: [asked.put(line) for line in sys.stdin], daemon=True).start()
    print(server.port, flush=True)
    server.serve(asked)


if __name__ == "__main__":
    main()
