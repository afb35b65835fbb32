"""Thin ctypes over the system calls; raises plain OSError."""
