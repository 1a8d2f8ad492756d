"""What somebody else's acquisition writes, read while it grows: one file per format."""
