"""What a container says: its log on the disk, and `rootless logs`."""

import re
import subprocess
import time
from collections.abc import Callable

import pytest
from living import Containers

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

WaitUntil = Callable[[Callable[[], bool]], None]


@pytest.mark.both_users
def test_each_stream_where_it_belongs(containers: Containers) -> None:
    """Both streams, to the byte; a line without an end has none.

    What reads the output for the test takes a carriage return for a newline.
    """
    rootless = containers.rootless
    container = containers.shell("echo one; echo two >&2; printf 'a\\rb\\tc'; printf '\\377' >&2")
    assert rootless.ok("wait", container) == "0\n"
    result = rootless("logs", container)
    assert (result.stdout, result.stderr) == ("one\na\nb\tc", "two\n\udcff")


def test_tail(containers: Containers) -> None:
    """The last lines, one that has no end as well."""
    rootless = containers.rootless
    container = containers.shell("echo one; echo two; printf 'name? '")
    rootless.ok("wait", container)
    for count, said in (("0", ""), ("2", "two\nname? "), ("9", "one\ntwo\nname? ")):
        assert rootless.ok("logs", "--tail", count, container) == said


def test_times(containers: Containers) -> None:
    """-t shows when; --since and --until take a time, and how long ago."""
    rootless = containers.rootless
    container = containers.shell("echo one; sleep 1.5; echo two")
    rootless.ok("wait", container)
    lines = rootless.ok("logs", "-t", container).splitlines()
    (first, _), (second, _) = (line.split(" ") for line in lines)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", first)
    assert rootless.ok("logs", "--since", second, container) == "two\n"
    assert rootless.ok("logs", "--until", first, container) == "one\n"
    assert rootless.ok("logs", "--since", "10m", container) == "one\ntwo\n"
    assert rootless.ok("logs", "--until", "10m", container) == ""


def test_the_form_on_the_disk(containers: Containers) -> None:
    """A record a line, as kubelet reads it; a long line is parted."""
    container = containers.shell("echo out; head -c 40000 /dev/zero | tr '\\0' x; echo")
    containers.rootless.ok("wait", container)
    folder = containers.rootless.home.store / "containers" / container
    records = (folder / "log").read_bytes().splitlines()
    form = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)")
    parsed = [form.fullmatch(record) for record in records]
    assert all(parsed)
    assert max(map(len, records)) < 17000
    assert containers.rootless.ok("logs", container) == "out\n" + "x" * 40000 + "\n"


def test_follow(containers: Containers) -> None:
    """-f shows what comes as it comes, a prompt as well, and ends with the container."""
    container = containers.shell("echo one; printf 'name? '; read x; echo $x", "-i")
    with containers.rootless.start("logs", "-f", container, stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        said = b""
        while not said.endswith(b"name? "):
            said += following.stdout.read1()  # type: ignore[attr-defined]
        assert said == b"one\nname? "
        containers.rootless("attach", container, stdin="ann\n")
        assert following.communicate(timeout=10)[0] == b"ann\n"
    assert containers.rootless.ok("logs", "-f", container) == "one\nname? ann\n"


def test_rotation(containers: Containers) -> None:
    """The files keep to their size, and who follows the log through them misses nothing."""
    script = "read x; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"
    options = ("-i", "--log-opt", "max-size=20k,max-file=10")
    container = containers.shell(script, *options)
    with containers.rootless.start("logs", "-f", container, stdout=subprocess.PIPE) as following:
        time.sleep(0.5)
        containers.rootless("attach", container, stdin="\n")
        followed = following.communicate(timeout=30)[0].decode().splitlines()
    folder = containers.rootless.home.store / "containers" / container
    sizes = {path.name: path.stat().st_size for path in folder.glob("log*")}
    assert len(sizes) > 3
    assert max(sizes.values()) <= 20 << 10
    expected = [f"line {i}" for i in range(3000)]
    assert containers.rootless.ok("logs", container).splitlines() == expected
    assert followed == expected


def test_a_terminal_s_log(containers: Containers) -> None:
    """With -t the terminal's bytes are logged, as one stream."""
    container = containers.shell("stty size; tty; echo err >&2", "-t")
    containers.rootless.ok("wait", container)
    assert containers.rootless.ok("logs", container) == "24 80\n/dev/pts/0\nerr\n"
