"""What is under single molecules: simulated crops with a known background, and how well it is told."""
