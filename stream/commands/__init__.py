"""What each command does, from the terminal to an exit code."""
