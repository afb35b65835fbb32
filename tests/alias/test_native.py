"""A command in an image that feels as if it were one of the host's."""

import os
import pwd
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from desks import Desk

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

ME = pwd.getpwuid(os.getuid())


@pytest.mark.both_users
def test_who_where_and_with_what(python: Desk) -> None:
    """Name, IDs, folders, variables, mask and time zone are the caller's; the PATH is the image's.

    Files that it makes are his.
    """
    script = (
        "import os, pwd, time\n"
        "print(pwd.getpwuid(os.getuid()).pw_name, os.getuid(), os.getgid(), pwd.getpwnam(\n"
        "    pwd.getpwuid(os.getuid()).pw_name).pw_dir)\n"
        "print(os.getcwd(), os.path.expanduser('~'), os.environ['PWD'])\n"
        "print(os.environ['MINE'], os.environ['PATH'], 'ROOTLESS_HOME' in os.environ)\n"
        "open('made', 'w').write('x')\n"
        "print(time.tzname[0], oct(os.umask(0)))\n"
    )
    (python.folder / "script.py").write_text(script)
    said, _ = python.sh("umask 027; python3.11 script.py", MINE="a b", TZ="XYZ-3")
    name, where, variables, times = said.splitlines()
    assert name == f"{ME.pw_name} {ME.pw_uid} {ME.pw_gid} {python.home}"
    assert where == f"{python.folder} {python.home} {python.folder}"
    image_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert variables == f"a b {image_path} False"
    assert times.split() == ["XYZ", "0o27"]
    made = (python.folder / "made").stat()
    assert (made.st_uid, made.st_mode & 0o777) == (ME.pw_uid, 0o640)


@pytest.mark.both_users
def test_words_and_streams(python: Desk) -> None:
    """Every word comes through whole; the three streams stay three; pipes are pipes."""
    script = (
        "import sys, os, stat; print(ascii(sys.argv[1:]), sys.stdin.read());"
        "print('err', file=sys.stderr);"
        "print(*(stat.S_ISFIFO(os.fstat(fd).st_mode) for fd in (0, 1, 2)))"
    )
    words = r"""'a b' '' $'new\nline' "it's" '"' '$HOME' '*' -- -x ä"""
    said, err = python.sh(f'printf in | python3.11 -c "{script}" {words} | cat')
    expected = ["a b", "", "new\nline", "it's", '"', "$HOME", "*", "--", "-x", "ä"]
    assert said.startswith(f"{expected!a} in\n")
    assert said.endswith("True True True\n")
    assert err == "err\n"


def test_shebang_lines(python: Desk) -> None:
    """An alias serves in #! lines, through env(1) and by its path, as do links to a script."""
    (python.home / "link").symlink_to(python.folder)
    by_path = f"{python.binaries}/python3.11"
    for name, line in (("by-env", "/usr/bin/env python3.11"), ("by-path", by_path)):
        file = python.folder / name
        file.write_text(f"#!{line}\nimport sys; print(sys.argv)\n")
        file.chmod(0o755)
        assert python.sh(f"./{name} 'x y'")[0] == f"['./{name}', 'x y']\n"
    assert python.sh("cd ~/link; ./by-env; pwd")[0] == f"['./by-env']\n{python.home}/link\n"


def test_many_at_once(python: Desk) -> None:
    """Xargs -P8 gets every answer, and a failure's status."""
    said, _ = python.sh("seq 12 | xargs -P8 -n1 python3.11 -c 'import sys; print(sys.argv[1])'")
    assert sorted(map(int, said.split())) == list(range(1, 13))
    python.sh("echo 3 | xargs python3.11 -c 'import sys; sys.exit(int(sys.argv[1]))'", status=123)


@pytest.mark.both_users
def test_statuses_and_signals(python: Desk) -> None:
    """The status is the command's, 128+N after a signal; a signal to the shim reaches it."""
    said, _ = python.sh(
        "python3.11 -c 'raise SystemExit(7)'; echo $?\n"
        "python3.11 -c 'import os; os.kill(os.getpid(), 9)'; echo $?\n"
        "trap '' HUP; python3.11 -c 'import signal; print(signal.getsignal(1) == 1)'\n"
        "trap - HUP; python3.11 -c 'import signal; print(signal.getsignal(1) == 0)'"
    )
    assert said.split() == ["7", "137", "True", "True"]
    script = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(5));"
        "print('up', flush=True)\nwhile True: time.sleep(0.05)"
    )
    with subprocess.Popen(
        [python.binaries / "python3.11", "-c", script],
        env=dict(python.environ),
        cwd=python.folder,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 5
    killed = [python.binaries / "python3.11", "-c", "import os; os.kill(os.getpid(), 15)"]
    done = subprocess.run(killed, env=dict(python.environ), cwd=python.folder, check=False)
    assert done.returncode == -signal.SIGTERM


def test_process_substitution(python: Desk) -> None:
    """What the shell has open for a command is open inside, and nothing of ours."""
    script = "import sys, os; print(open(sys.argv[1]).read(), len(os.listdir('/proc/self/fd')))"
    said, _ = python.sh(f'python3.11 -c "{script}" <(echo inner) ')
    assert said.split() == ["inner", "5"]  # the streams, the substitution, and the list itself


def test_a_closed_reader_ends_it(python: Desk) -> None:
    """Who writes to a closed pipe gets SIGPIPE, as on the host."""
    said, _ = python.sh(
        "python3.11 -c 'import signal; signal.signal(13, 0)\n"
        "while True: print(1)' | head -1; echo ${PIPESTATUS[0]}"
    )
    assert said == "1\n141\n"


def test_elsewhere_than_home(python: Desk, tmp_path: Path) -> None:
    """A folder outside of the home is bound as well; the host's system folders are the image's."""
    (tmp_path / "file").write_text("there")
    said, _ = python.sh(f"cd {tmp_path}; python3.11 -c 'print(open(\"file\").read())'")
    assert said == "there\n"
    host = Path("/etc/hostname").exists()
    said, _ = python.sh("cd /etc; python3.11 -c 'print(open(\"debian_version\").read()[:2])'")
    assert said == "12\n" or not host


@pytest.mark.parametrize("shared", [True, False])
def test_what_is_shared(desk: Desk, shared: bool) -> None:  # noqa: FBT001 - a parameter
    """Of a home that is not shared only the current folder is there; the agent comes on request."""
    agent = desk.home.parent / "agent"
    (desk.home / "secret").touch()
    (desk.folder / "mine").touch()
    share = ("home,cwd,ssh-agent") if shared else "cwd"
    desk.alias("add", "look", "--image", "debian-demo", "--share", share, "--", "sh", "-c")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(agent))
        said, _ = desk.sh("look 'ls ~ .; echo $SSH_AUTH_SOCK'", SSH_AUTH_SOCK=str(agent))
    assert "mine" in said
    assert ("secret" in said) == shared
    assert (str(agent) in said) == shared


def test_a_locale_that_the_image_lacks(python: Desk) -> None:
    """Letters come through, without a warning, whatever locale the caller has."""
    script = "import locale; print(locale.setlocale(locale.LC_ALL, ''), 'ä')"
    said, err = python.sh(f'env LC_ALL=xx_YY.UTF-8 python3.11 -c "{script}"')
    assert said == "C.UTF-8 ä\n"
    assert err == ""
