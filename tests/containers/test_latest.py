"""--latest: the container that was made last, in place of a name."""

import json

import pytest
from living import Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.mark.both_users
def test_the_one_that_was_made_last(containers: Containers) -> None:
    """Each command for one container takes it, and refuses a name beside it."""
    rootless = containers.rootless
    containers.shell("sleep 60")
    script = "echo said; echo x >/made; read x; exit 3"
    last = containers.shell(script, "-i", "--expose", "1")
    assert (
        rootless.ok("exec", "-l", "sh", "-c", "until [ -e /made ]; do :; done; echo $0") == "sh\n"
    )
    assert rootless.ok("exec", "--latest", "cat", "/made") == "x\n"
    assert rootless.ok("logs", "-l") == "said\n"
    assert json.loads(rootless.ok("inspect", "-l"))[0]["Id"] == last
    assert "sh -c" in rootless.ok("top", "-l")
    assert rootless.ok("diff", "-l") == "A /made\n"
    assert rootless.ok("port", "-l") == rootless.ok("port", "--all") == ""
    assert rootless("port", "-l", "80").stderr.count("publishes no such port: 80/tcp") == 1
    (used,) = json.loads(rootless.ok("stats", "-l", "--no-stream", "--format", "json"))
    assert last.startswith(used["id"])
    assert rootless("attach", "-l", stdin="\n").status == 3
    for words in (("exec", "-l"), ("exec", last), ("logs", "-l", last), ("top",), ("attach",)):
        result = rootless(*words)
        assert (result.status, result.stdout, result.stderr.count("\n")) == (125, "", 1)
