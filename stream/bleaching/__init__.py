"""Bleaching steps while the camera runs: spots that stay, their light in each frame, how many steps, what is told."""
