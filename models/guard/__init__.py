"""Is this data what the network was trained on: measures, their reference, sequential tests, a verdict in words."""
