"""Configurations, and the stand-in for Micro-Manager's server as a process that a test talks to."""

import json
import subprocess
import sys
from pathlib import Path

from stream.sources.micro_manager.settings import MicroManagerSettings
from stream.sources.micromanager import MicroManagerSource

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "stream" / "micromanager-demo.cfg"


def configuration(folder: Path, side_px: int = 64, exposure_ms: float = 2, **properties: object) -> Path:
    """Write the demo's configuration with another field, exposure and properties of the camera."""
    text = DEMO.read_text().replace("Size,256", f"Size,{side_px}").replace("Exposure,20", f"Exposure,{exposure_ms}")
    path = folder / "camera.cfg"
    path.write_text(text + "".join(f"Property,Camera,{name},{value}\n" for name, value in properties.items()))
    return path


class Server:
    """A process that stands in for Micro-Manager, with the arguments of `bridge_server.py`."""

    def __init__(self, *arguments: object) -> None:
        program = str(Path(__file__).with_name("bridge_server.py"))
        self.process = subprocess.Popen(
            [sys.executable, program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())

    def somebody(self, *call: object) -> str:
        """Let somebody at the microscope call the core; returns what it gave, or what went wrong."""
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def settings(self, **more: object) -> MicroManagerSettings:
        return MicroManagerSettings(backend="bridge", port=self.port, **more)

    def source(self, **more: object) -> MicroManagerSource:
        return MicroManagerSource(self.settings(**more))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()
