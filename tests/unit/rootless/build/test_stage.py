"""`rootless.build.stage`: what a stage is known by."""

from containerfiles import planned


def test_is_known_by_its_name_or_number() -> None:
    """Its name, else its number; it begins with its FROM."""
    file = planned("FROM a\n\nFROM b AS Two").file
    assert [(stage.shown, stage.line) for stage in file] == [("0", 1), ("two", 3)]
    assert file[1].origin.source == "FROM b AS Two"
