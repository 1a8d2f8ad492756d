"""Readers of recorded stacks: one file per format, all page by page."""
