"""Fits that are fast enough to run beside the camera: compiled, many at once, overlapping emitters together."""
