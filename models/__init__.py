"""What a network is, and the physics it learns from. Pure numpy and torch: no devices, sockets or threads."""
