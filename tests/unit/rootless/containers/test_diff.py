"""`rootless.containers.diff`: lines and parents; the walk has its own tests."""

import json

from rootless.containers.diff import Change, _without, to_json, with_parents


def test_folders_above_a_change_are_changed() -> None:
    """Each once, and those that are new stay new."""
    found = [Change(b"/a/new/x", "A"), Change(b"/a/new", "A"), Change(b"/b/c/gone", "D")]
    assert [(each.kind, each.path) for each in with_parents(found)] == [
        *(("C", b"/a"), ("A", b"/a/new"), ("A", b"/a/new/x")),
        *(("C", b"/b"), ("C", b"/b/c"), ("D", b"/b/c/gone")),
    ]


def test_places_of_mounts_leave_no_trace() -> None:
    """A folder that has a new time only for them is left out with them; another one is not."""
    found = [
        Change(b"/etc", "t"),
        Change(b"/etc/hosts", "A"),
        Change(b"/srv", "t"),
        Change(b"/run", "C"),
        Change(b"/run/secrets", "A"),
    ]
    kept = list(_without(found, {b"/etc/hosts", b"/run/secrets"}))
    assert kept == [Change(b"/srv", "C"), Change(b"/run", "C")]


def test_json_has_podmans_lists() -> None:
    """Lists by kind, those that are empty left out."""
    found = [Change(b"/a", "C"), Change(b"/a/\xff", "A")]
    assert json.loads(to_json(found)) == {"changed": ["/a"], "added": ["/a/\udcff"]}
    assert json.loads(to_json([])) == {}
