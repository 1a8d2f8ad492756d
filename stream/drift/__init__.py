"""How the sample moves while the camera runs: found from the localizations themselves, or from fiducials."""
