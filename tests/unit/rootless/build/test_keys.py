"""Keys of steps."""

from rootless.build.keys import key
from rootless.oci.digest import Digest, sha256_of

_BELOW = [sha256_of(b"a"), sha256_of(b"b")]


def test_every_part_counts() -> None:
    """What a step depends on makes its key, and nothing else does: not the order of names."""
    keys: list[Digest] = [
        key("RUN", _BELOW, {"words": ["make"], "env": []}),
        key("COPY", _BELOW, {"words": ["make"], "env": []}),
        key("RUN", _BELOW[:1], {"words": ["make"], "env": []}),
        key("RUN", _BELOW[::-1], {"words": ["make"], "env": []}),
        key("RUN", _BELOW, {"words": ["make", ""], "env": []}),
        key("RUN", _BELOW, {"words": ["make"], "env": ["A=b"]}),
    ]
    assert len(set(keys)) == len(keys)
    assert key("RUN", _BELOW, {"env": [], "words": ["make"]}) == keys[0]


def test_any_text() -> None:
    """A name that is not UTF-8 has a key too."""
    assert key("COPY", [], {"path": "\udcff"}) != key("COPY", [], {"path": "\udcfe"})
