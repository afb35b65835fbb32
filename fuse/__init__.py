"""An overlay file system over tar layers, served by pyfuse3 and trio; knows nothing of `rootless`."""
