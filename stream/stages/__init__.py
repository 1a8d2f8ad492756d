"""What is done to a batch, one file each."""
