"""Names for containers that were given none."""

import re

from living_records import a_record

from rootless.containers import record as records
from rootless.containers.names import invent
from rootless.paths import Paths


def test_two_words(paths: Paths) -> None:
    """Out of the ID, the same each time; a name of a container."""
    name = invent(paths, "0123456789abcdef" * 4)
    assert re.fullmatch(r"[a-z]+_[a-z]+", name)
    assert records.check_name(name) == name
    assert invent(paths, "0123456789abcdef" * 4) == name


def test_one_that_is_free(paths: Paths) -> None:
    """A name in use is passed over; where all are, the ID is added."""
    container_id = "0123" * 16
    first = invent(paths, container_id)
    records.create(paths, a_record(first))
    assert invent(paths, container_id) == f"{first}_{container_id[:8]}"
    other = "0123" + "89ab" * 15
    assert invent(paths, other) not in (first, f"{first}_{other[:8]}")
