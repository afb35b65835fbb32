"""What a holder postpones to import, beside what a server does (`fuse.late_imports`)."""

from fuse.late_imports import OF_A_SERVER, postpone

_OF_A_HOLDER = frozenset(
    {
        "hashlib",  # of layers; it brings OpenSSL
        "hmac",
    }
)


def postpone_for_holder() -> None:
    """Load no module before it is used that a holder and its keepers hardly ever use."""
    postpone(OF_A_SERVER | _OF_A_HOLDER)
