"""Every precondition of the host, its state and its fix."""
