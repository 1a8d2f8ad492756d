"""A Core of Micro-Manager: in this process (its Python backend), or that of a running Micro-Manager, over its bridge.

The one file that imports pycro-manager; its errors are translated here.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stream.errors import AddressError, InputError, LiveSMLMError
from stream.sources.core.worker import Worker

HOST = "127.0.0.1"
CONNECT_S = 1.0
INSTALL = "pip install 'livesmlm[micromanager]'"


class Connection:
    """A Core, and what ends it.

    Attributes
    ----------
    core : Any
        pycro-manager's `Core`, methods in snake case. To be called through `worker` only.
    worker : Worker
    """

    def __init__(self, core: Any, worker: Worker, shut: Callable[[], None]) -> None:
        self.core, self.worker, self._shut = core, worker, shut

    def close(self) -> None:
        """End it; one that does not answer is left alone."""
        if not self.worker.lost:
            with contextlib.suppress(LiveSMLMError):
                self.worker.ask(self._shut)
        if self.worker.lost:
            _give_up(self.core)
        self.worker.end()


def over_bridge(port: int, patience_s: float) -> Connection:
    """Return the Core of a running Micro-Manager, whose server listens at a port of this computer.

    Raises
    ------
    AddressError
        Nothing listens there, or it is not Micro-Manager.
    InputError
        pycro-manager is not installed.
    """
    if wrong := silent(port):
        raise AddressError(
            f"no Micro-Manager at port {port}: {wrong}",
            limit="a Micro-Manager that is open on this computer, with its server running",
            remedy="in Micro-Manager: Tools, Options, Run server on port 4827; or set [source] port",
        )
    worker = Worker(lambda: silent(port), patience_s)
    try:
        core = worker.ask(lambda: _pycromanager().Core(port=port))
    except LiveSMLMError:
        worker.end()
        raise
    except Exception as error:
        worker.end()
        raise AddressError(
            f"what listens at port {port} is not Micro-Manager: {str(error).splitlines()[0]}",
            limit="the server of Micro-Manager 2",
            remedy="in Micro-Manager: Tools, Options, Run server on port 4827; or set [source] port",
        ) from error
    return Connection(core, worker, lambda: None)


def in_process(adapters: Path | None, config: Path, buffer_mb: int, patience_s: float) -> Connection:
    """Return a Core in this process.

    Parameters
    ----------
    adapters : Path or None
        Folder of device adapters: that of a Micro-Manager, or None for those of mm-test-adapters.
    config : Path
        Configuration file that Micro-Manager's Hardware Configuration Wizard writes.
    buffer_mb : int
        Of the Core's own buffer.
    patience_s : float

    Raises
    ------
    InputError
        A package is not installed, or the configuration cannot be loaded.
    """
    if not config.is_file():
        raise InputError(f"[source] config = {config}: no such file", remedy="save one in Micro-Manager, Devices menu")
    folder = adapters or _test_adapters()
    package = _pycromanager()
    worker = Worker(lambda: "", patience_s)

    def start() -> Any:
        package.start_headless(
            mm_app_path=str(folder), config_file=str(config.absolute()), python_backend=True, buffer_size_mb=buffer_mb
        )
        return package.Core()

    try:
        return Connection(worker.ask(start), worker, package.stop_headless)
    except (OSError, RuntimeError, ValueError) as error:
        with contextlib.suppress(Exception):
            worker.ask(package.stop_headless)
        worker.end()
        raise InputError(
            f"Micro-Manager cannot load {config}: {' '.join(str(error).split())}",
            limit=versions(folder),
            remedy="open it in Micro-Manager itself; the number of adapters and of pymmcore must be the same",
        ) from error


def _give_up(core: Any) -> None:
    """Let pyjavaz know that nobody answers: else it would wait for that when the process ends.

    It has no call for this that covers a question which was already asked.
    """
    if (bridge := getattr(core, "_bridge", None)) is not None:
        bridge._closed = core._closed = True


def silent(port: int) -> str:
    """Say why nobody is at a port of this computer; nothing if somebody is."""
    try:
        socket.create_connection((HOST, port), CONNECT_S).close()
    except OSError as error:
        return f"nothing listens at port {port} ({error.strerror or error})"
    return ""


def versions(folder: Path) -> str:
    """Say for which device interface the Core and the adapters in a folder are made, as far as that is known."""
    core = _version("pymmcore")
    interface = core.split(".")[3] if core.count(".") > 3 else core
    adapters = _version("mm-test-adapters") if "mm_test_adapters" in folder.parts else "a Micro-Manager of its own"
    return f"pymmcore {core} speaks device interface {interface}; adapters in {folder}: {adapters}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _pycromanager() -> Any:
    try:
        import pycromanager
    except ModuleNotFoundError as error:
        raise InputError(f'[source] kind = "micromanager": {error.name} is not installed', remedy=INSTALL) from error
    return pycromanager


def _test_adapters() -> Path:
    try:
        import mm_test_adapters
    except ModuleNotFoundError as error:
        raise InputError(
            "[source] adapters is not given, and mm-test-adapters is not installed",
            limit="the folder of a Micro-Manager, which holds its device adapters",
            remedy=f"set [source] adapters; for its demo camera: {INSTALL}",
        ) from error
    return Path(mm_test_adapters.device_adapter_path())
