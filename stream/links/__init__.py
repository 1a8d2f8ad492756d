"""What goes over sockets, in both directions, and the clients for it."""
