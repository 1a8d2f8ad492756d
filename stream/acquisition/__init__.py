"""From the camera to the analyzer: source process, ring, spool, policy, batcher."""
