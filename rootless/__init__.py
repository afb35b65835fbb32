"""Run container images without root, without a daemon and without unpacking them.

Layers of the package, imports pointing down only (import-linter keeps it so):
cli > containers, doctor > bundle > overlay > image, runtime > userns > linux > oci > errors, paths.
"""

__version__ = "0.1.0"
