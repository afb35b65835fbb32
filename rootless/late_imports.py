"""Modules that a holder and what it forks hardly ever use (`fuse.late_imports`)."""

from fuse.late_imports import OF_A_SERVER, postpone


def postpone_for_holder() -> None:
    """Load none of them before it is used: a server is one of what it forks."""
    postpone(OF_A_SERVER)
