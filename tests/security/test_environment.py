"""Variables that steer a dynamic linker or an interpreter are the workload's alone."""

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

_VARIABLES = ("LD_PRELOAD=/evil.so", "PYTHONPATH=/evil", "PYTHONSTARTUP=/evil/x.py")


@pytest.mark.both_users
def test_of_an_image(rootless: Rootless, shell_layer: bytes) -> None:
    """No process of ours gets them from an image: its module and library would not even load."""
    layer = (
        images.LayerBuilder().directory("evil").file("evil/encodings.py", b"raise SystemExit(9)")
    )
    script = 'echo "$LD_PRELOAD $PYTHONPATH $PYTHONSTARTUP"'
    config = {"Env": list(_VARIABLES), "Cmd": ["/bin/sh", "-c", script]}
    shell_image.load_image(rootless, [shell_layer, layer], config)
    result = rootless("run", "small")
    assert (result.status, result.stdout) == (0, "/evil.so /evil /evil/x.py\n")
    assert result.stderr.count("LD_PRELOAD") == result.stderr.count("/evil.so")  # ld.so's warning


def test_of_the_command_line(demo: Rootless) -> None:
    """-e sets them for the workload, and not for what becomes the workload."""
    words = [word for variable in _VARIABLES for word in ("-e", variable)]
    script = "tr '\\0' '\\n' </proc/1/environ 2>&1; env | grep -c evil"
    result = demo("run", *words, "debian-demo", "sh", "-c", script)
    assert result.stdout.endswith("3\n")
    assert "evil" not in result.stdout


def test_of_what_was_typed(demo: Rootless) -> None:
    """The words of the command line, host paths among them, cannot be read off PID 1."""
    words = ("-v", "/etc:/somewhere:ro", "-e", "A=b")
    result = demo("run", *words, "debian-demo", "sh", "-c", "tr -d '\\0' </proc/1/cmdline")
    assert (result.status, result.stdout) == (0, "")
