"""A network for one's own microscope: from beads and camera to a model file, in steps that can be resumed."""
