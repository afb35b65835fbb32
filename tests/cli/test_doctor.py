"""`rootless doctor`, the real executable."""

import json
from typing import Any

import pytest
from executable import Rootless


@pytest.mark.both_users
def test_table(rootless: Rootless) -> None:
    """A host that runs the tests can run images: status 0, one line a check, no escapes."""
    result = rootless("doctor")
    assert result.status == 0, result.stdout
    assert result.stdout.splitlines()[-1] == "rootless run can work here"
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


@pytest.mark.both_users
def test_json(rootless: Rootless) -> None:
    """--json prints one document with the verdict."""
    document = json.loads(rootless.ok("doctor", "--json"))
    assert document["can_run"] is True
    assert {check["state"] for check in document["checks"]} <= {"ok", "warning"}


@pytest.mark.needs_user
def test_store_that_cannot_be_written(rootless: Rootless) -> None:
    """A store in a read-only place fails one check, with its fix, and the status is 125."""
    result = rootless("doctor", env={"ROOTLESS_HOME": "/proc/rootless"})
    assert result.status == 125
    assert "failed   store" in result.stdout
    assert "$ROOTLESS_HOME" in result.stdout
    assert "cannot work here yet: store, scratch" in result.stdout


def test_makes_nothing(rootless: Rootless) -> None:
    """Looking leaves no store behind."""
    rootless.ok("doctor")
    assert not rootless.home.store.exists()


def test_unknown_option(rootless: Rootless) -> None:
    """Wrong usage is one line and status 125."""
    result = rootless("doctor", "--nonsense")
    assert result.status == 125
    assert len(result.stderr.splitlines()) == 1


def test_of_a_cluster_s_node(rootless: Rootless) -> None:
    """`--hpc` adds checks, and nothing that stands in the way."""
    plain = json.loads(rootless("doctor", "--json").stdout)
    more = json.loads(rootless("doctor", "--hpc", "--json").stdout)
    added = [check for check in more["checks"] if check["name"] not in names_of(plain)]
    assert {"fabric", "gpu", "memory-of-ranks", "locked-memory"} <= {c["name"] for c in added}
    assert all(check["state"] != "failed" for check in added)
    assert more["can_run"] == plain["can_run"]


def names_of(report: dict[str, Any]) -> set[str]:
    """Return the checks of a report."""
    return {check["name"] for check in report["checks"]}
