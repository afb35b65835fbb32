"""`rootless diff`, the real executable."""

import json

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

SCRIPT = """
rm /etc/motd; rm -r /usr/share/doc; mkdir /usr/share/doc; echo >/usr/share/doc/new
mkdir -p /new/a; ln -s /etc /new/l; chmod 700 /srv; echo x >>/etc/passwd; touch /gone; rm /gone
"""


def test_lists_what_was_changed(
    demo_own: Rootless, id_map_options: tuple[str, ...], overlay_driver: str
) -> None:
    """Added, changed and deleted files, sorted, from either driver's upperdir."""
    options = (*id_map_options, "--overlay-driver", overlay_driver, "--name", "c")
    demo_own.ok("run", *options, "debian-demo", "sh", "-c", SCRIPT)
    lines = demo_own.ok("diff", "c").splitlines()
    deleted = [line for line in lines if line.startswith("D /usr/share/doc/")]
    assert [line for line in lines if line not in deleted] == [
        *("C /etc", "D /etc/motd", "C /etc/passwd"),
        *("A /new", "A /new/a", "A /new/l", "C /srv"),
        *("C /usr", "C /usr/share", "C /usr/share/doc", "A /usr/share/doc/new"),
    ]
    inside = demo_own.ok("run", *id_map_options, "debian-demo", "ls", "/usr/share/doc").split()
    assert deleted == [f"D /usr/share/doc/{name}" for name in sorted(inside)]
    shown = json.loads(demo_own.ok("diff", "--format", "json", "c"))
    assert shown["added"] == ["/new", "/new/a", "/new/l", "/usr/share/doc/new"]
    assert "/etc/motd" in shown["deleted"]
    assert "/srv" in shown["changed"]


def test_while_it_runs(demo_own: Rootless, overlay_driver: str) -> None:
    """A running container's changes are there as they are made; one without a change has none."""
    options = ("-d", "--name", "c", "--overlay-driver", overlay_driver)
    demo_own.ok("run", *options, "debian-demo", "sleep", "100")
    assert demo_own.ok("diff", "c") == ""
    demo_own.ok("rm", "-f", "c")


def test_before_it_ever_ran(demo_own: Rootless) -> None:
    """Nothing was changed."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    assert demo_own.ok("diff", "c") == ""


def test_wrong_use(demo_own: Rootless) -> None:
    """One line each."""
    demo_own.ok("create", "--name", "c", "debian-demo", "true")
    for words, says in (
        (("none",), "no such container: none (there are c)"),
        (("--format", "xml", "c"), "no such format: xml (table or json)"),
        ((), "which container (give its name, or --latest)"),
    ):
        said = demo_own("diff", *words)
        assert (said.status, said.stdout) == (125, "")
        assert says in said.stderr
        assert said.stderr.count("\n") == 1
