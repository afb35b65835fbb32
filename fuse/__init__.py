"""An overlay file system over tar layers, served by pyfuse3 and trio.

Knows nothing of the package `rootless`; inside, imports are relative (see docs/decisions/0001).
"""
