"""Molecules, drawn again and compared with the frames."""
