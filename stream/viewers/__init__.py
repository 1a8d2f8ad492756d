"""Other programs that show a run; each is loaded by that program, never by ours."""
