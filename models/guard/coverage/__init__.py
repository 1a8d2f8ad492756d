"""Are the molecules those that the network was trained on."""
