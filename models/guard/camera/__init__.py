"""Is the camera what the rig says."""
