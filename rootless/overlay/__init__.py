"""Picks the overlay driver, starts the FUSE server, mounts the root file system."""
