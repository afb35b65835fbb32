"""Which packages an image has, read out of its package managers' own files: nothing is run."""
