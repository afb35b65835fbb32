"""Images on the move: from registries into the store and back, and between files."""
