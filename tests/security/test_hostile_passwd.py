"""passwd and group files that are made to confuse who reads them."""

import images
import pytest
import shell_image
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

_SCRIPT = """
while read -r key value rest; do
    case $key in Uid:|Gid:) echo "$value";; esac
done < /proc/self/status
echo "$HOME"
"""
_SHOW = ("/bin/sh", "-c", _SCRIPT)


@pytest.mark.parametrize(
    ("passwd", "user", "said"),
    [
        (b"a:x:-1:0::/:/\na:x:7:7::/h:/\n", "a", "7\n7\n/h\n"),
        (b"a:x:99999999999999999999:0::/:/\na:x:7:7::/h:/\n", "a", None),
        (b"a:x:4294967295:0::/:/\n", "a", None),
        (b"a:x:\xd9\xa1:0::/:/\na:x:7:7::/h:/\n", "a", None),
        (b"a:x:0x7:0::/:/\n", "a", None),
        (b"a\n:::\n\0\0\na:x:7:7::../..:/\n", "a", "7\n7\n/\n"),
        (b"7:x:0:0::/:/\n", "7", "0\n0\n/\n"),
        (b"x" * (1 << 20) + b"\na:x:7:7::/h:/\n", "a", "7\n7\n/h\n"),
    ],
    ids=["negative", "huge", "minus-one", "digits", "hex", "broken", "name-is-number", "long"],
)
def test_passwd(
    rootless: Rootless, shell_layer: bytes, passwd: bytes, user: str, said: str | None
) -> None:
    """Malformed lines are passed over; what is left is a user of the map, or one line."""
    layer = images.LayerBuilder().file("etc/passwd", passwd)
    shell_image.load_image(rootless, [shell_layer, layer])
    result = rootless("run", "--userns", "single", "--user", user, "small", *_SHOW)
    if said is not None:
        assert (result.status, result.stdout) == (0, said)
    else:
        assert (result.status, result.stderr.count("\n")) in ((125, 1), (0, 0))
        assert "internal error" not in result.stderr


@pytest.mark.parametrize(
    "target", ["/proc/self/environ", "/etc/shadow", "../../../etc/passwd", "passwd"]
)
def test_a_passwd_that_is_a_link(rootless: Rootless, shell_layer: bytes, target: str) -> None:
    """A link is resolved in the image alone: no file of the host is read for names."""
    layer = images.LayerBuilder().symlink("etc/passwd", target)
    shell_image.load_image(rootless, [shell_layer, layer])
    result = rootless("run", "--user", "daemon", "small", *_SHOW)
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "no such user in the image's /etc/passwd: daemon" in result.stderr
