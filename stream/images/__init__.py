"""The image layer: a network draws each frame, without a list of localizations, in a process of its own."""
