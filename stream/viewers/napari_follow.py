"""Shows a run in napari while it is recorded.

    python -m stream.viewers.napari_follow tcp://127.0.0.1:5557

or in napari: Plugins, LiveSMLM, Follow a run. napari comes with `pip install 'livesmlm[napari]'`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stream.links.feed import Origin
from stream.links.live_picture import LivePicture
from stream.links.sockets import next_port
from stream.viewers.napari_reader import image_facts

if TYPE_CHECKING:
    import napari

MAX_SIDE_PX = 4096
EVERY_MS = 500


class Following:
    """Keeps a layer of a viewer as new as the run. Ends with the layer, or with the viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    address : str
        Where the run publishes; it need not have begun.
    snapshots : str, optional
        Where it answers requests; one port above `address` if not given.

    Attributes
    ----------
    is_open : bool
        Whether it still follows.
    """

    def __init__(self, viewer: napari.Viewer, address: str, snapshots: str | None = None) -> None:
        from qtpy.QtCore import QTimer

        self._viewer, self._shown = viewer, (-1, 0.0)
        self._layer: napari.layers.Image | None = None
        self._picture = LivePicture(Origin(address, snapshots or next_port(address)), MAX_SIDE_PX, self._note)
        self._trouble, self.is_open = "", True
        self._timer = QTimer()
        self._timer.timeout.connect(self.refresh)
        self._timer.start(EVERY_MS)

    def refresh(self) -> None:
        """Show what has become of the picture."""
        if self._layer is not None and self._layer not in self._viewer.layers:
            self.close()
            return
        picture = self._picture.newest()
        if picture is None:
            self._viewer.status = self._trouble or "waiting for the first localizations"
            return
        if self._shown == (picture.localizations, float(picture.density.sum())):
            return
        self._shown = picture.localizations, float(picture.density.sum())
        if self._layer is None:
            self._layer = self._viewer.add_image(picture.density, **image_facts(picture.pixel_nm))
        self._layer.data = picture.density
        self._layer.reset_contrast_limits()
        self._viewer.status = f"{picture.localizations} localizations"

    def close(self) -> None:
        """Follow no more."""
        self.is_open = False
        self._timer.stop()
        self._picture.close()

    def _note(self, trouble: str) -> None:
        self._trouble = trouble


def follow(viewer: napari.Viewer, address: str = "tcp://127.0.0.1:5557") -> None:
    """Add the run's picture to a viewer, and keep it new."""
    _kept.append(Following(viewer, address))


_kept: list[Following] = []
"""A timer that nobody holds stops."""


def main() -> None:
    """Open a viewer that follows a run."""
    import napari

    follow(napari.Viewer(title="LiveSMLM"), *sys.argv[1:2])
    napari.run()
    for following in _kept:
        following.close()


if __name__ == "__main__":
    main()
