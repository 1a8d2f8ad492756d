"""The live web page of a run: a subscriber like any other, in a process of its own."""
