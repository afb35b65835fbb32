"""`rootless run` up to the point where something runs: its help, and options that contradict."""

import shlex
import subprocess
import sys
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless


@pytest.fixture
def loaded(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A store with one image, `pic`, which names no command."""
    layer = images.LayerBuilder().directory("etc")
    config = {"Env": ["A=1"]}
    layout = images.oci_layout(tmp_path / "layout", [layer], tag="pic", config=config)
    rootless.ok("load", "-q", layout)
    return rootless


def test_help_teaches(rootless: Rootless) -> None:
    """The help says what becomes of writes and of the status, in groups, with examples."""
    shown = rootless.ok("run", "--help")
    assert shown.startswith("Usage: rootless run [OPTIONS] IMAGE [COMMAND [ARGUMENT]...]\n")
    for group in ("The command:", "Files of yours inside:", "Users and IDs:", "Examples:"):
        assert f"\n{group}\n" in shown or f"\n  {group}\n" in shown
    for words in ("What it writes goes when it ends", "--overlay", "125", "126 or 127", "128+N"):
        assert words in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80
    assert not rootless.home.store.exists()


def test_its_examples_can_be_typed(rootless: Rootless) -> None:
    """Every example is understood: what is missing is what it names, and nothing else."""
    examples = rootless.ok("run", "--help").partition("Examples:\n")[2].strip().splitlines()
    assert len(examples) >= 4
    missing = ("image: debian", "image: node:22", "bundle: ", "profile: test")
    for example in examples:
        program, *words = shlex.split(example, comments=True)
        assert program == "rootless"
        said = rootless(*words).stderr
        assert said.startswith(tuple(f"rootless: no such {each}" for each in missing))


def test_help_after_the_image_is_the_commands(rootless: Rootless) -> None:
    """--help after the image is no question to rootless."""
    result = rootless("run", "nosuch", "--help")
    assert (result.status, result.stdout) == (125, "")
    assert "no such image: nosuch" in result.stderr


@pytest.mark.forked
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--name", "n", "--overlay", "d", "pic", "x"), "--name and --overlay exclude each other"),
        (("--replace", "pic", "x"), "--replace needs --name"),
        (("--userns", "keep-id", "--uidmap", "0:0:1", "pic", "x"), "exclude each other"),
        (("pic",), "names no command"),
        (("--interactiv", "pic"), "no such option: --interactiv (did you mean --interactive"),
        (("--tty=yes", "pic"), "option '--tty' does not take a value"),
        (("--memry", "1g", "pic"), "no such option: --memry (did you mean --memory"),
        (("--memory", "lots", "pic", "x"), "not a size: lots"),
        (("--memory-swap", "1g", "pic", "x"), "--memory-swap needs --memory: 1g"),
        (("-m", "2g", "--memory-swap", "1g", "pic", "x"), "less than --memory: 1g"),
        (("--cpus", "2", "--cpu-quota", "1", "pic", "x"), "--cpus excludes --cpu-period"),
        (("-c", "many", "pic", "x"), "--cpu-shares must be a whole number: many"),
        (("--cgroups", "split", "pic", "x"), "unknown value of --cgroups: split"),
        (("--cgroups=disabled", "-m", "1g", "pic", "x"), "--memory needs a cgroup"),
        (("--cgroup-parent", "../x", "pic", "x"), "must not lead upwards: ../x"),
        (("--volume", "a", "pic", "x"), "SOURCE:DESTINATION[:OPTIONS]: a"),
        (("--mount", "type=moon,dst=/x", "pic", "x"), "unknown mount type: moon"),
        (("--tmpfs", "relative", "pic", "x"), "must be an absolute path: relative"),
        (("--annotation", "key", "pic", "x"), "must have the form KEY=VALUE: key"),
        (("--network", "bridge", "pic", "x"), "unknown network: bridge"),
        (("--network", "ns:/nope", "pic", "x"), "no such network namespace: /nope"),
        (("--network", "none", "-p", "80", "pic", "x"), "cannot be published with --network none"),
        (("--network", "pasta:--netns,/x", "pic", "x"), "not yours to give: --netns"),
        (("--network", "slirp4netns:mtu=big", "pic", "x"), "not an option of slirp4netns: mtu=big"),
        (("-p", "8080:80/sctp", "pic", "x"), "only tcp and udp can be published: 8080:80/sctp"),
        (("-p", "8080:1", "-p", "8080:2", "pic", "x"), "a port is published twice: 8080/tcp"),
        (("--no-hosts", "--add-host", "a:1.2.3.4", "pic", "x"), "exclude each other"),
        (("--dns-search", "a b", "pic", "x"), "--dns-search needs one word: a b"),
        (
            ("--network", "none", "--add-host", "up:host-gateway", "pic", "x"),
            "the host cannot be reached from this network: up:host-gateway",
        ),
        (("--uidmap", "0:0", "--gidmap", "x", "pic", "x"), "INSIDE:FROM:LENGTH: x"),
    ],
)
def test_refused(loaded: Rootless, words: tuple[str, ...], says: str) -> None:
    """What contradicts or cannot be read is one line, and nothing was made."""
    loading.refused(loaded, "run", *words, says=(says,))


@pytest.mark.forked
@pytest.mark.parametrize(
    "words",
    [
        ("--entrypoint", "x"),
        ("--memory", "1g"),
        ("--pids-limit", "7"),
        ("--strict-resources",),
        ("--entrypoint", ""),
        ("--workdir", "/w"),
        ("--user", "0"),
        ("--umask", "022"),
        ("--ulimit", "core=0"),
        ("--annotation", "a=b"),
        ("--hostname", "h"),
        ("--add-host", "a:127.0.0.1"),
        ("--dns", "127.0.0.1"),
        ("--dns-search", "lan"),
        ("--dns-option", "edns0"),
        ("--no-hosts",),
        ("--publish", "80"),
        ("--network", "none"),
        ("--name", "n"),
        ("--rm",),
        ("--no-read-only-tmpfs",),
        ("--cap-add", "ALL"),
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges"),
        ("--shm-size", "1m"),
    ],
    ids=" ".join,
)
def test_what_a_bundle_says_itself(rootless: Rootless, words: tuple[str, ...]) -> None:
    """An option whose place is the bundle's config.json is refused by its name, not ignored."""
    result = rootless("run", "--bundle", "b", *words)
    option = words[0].replace("--no-read", "--read")
    assert (result.status, result.stdout) == (125, "")
    assert result.stderr == (
        f"rootless: {option} has no effect on a bundle: b (edit its config.json)\n"
    )


def test_works_where_the_folder_is_gone(rootless: Rootless, tmp_path: Path) -> None:
    """A current folder that was removed concerns options with relative paths only."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    command = [*rootless.command("run", "nosuch", "true")]
    shell = Rootless(rootless.home, ("-c", script, "sh", str(gone), *command), "/bin/sh")
    result = shell()
    assert (result.status, result.stderr.count("\n")) == (125, 1)
    assert "no such image: nosuch" in result.stderr


_INTERRUPTED = """
import os, signal, sys
from rootless.entry import main
from rootless.containers import foreground

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

foreground.run = lambda record, paths, **_: Last() and print("went on")
sys.argv[1:] = ["run", "pic", "true"]
sys.exit(main())
"""


def test_ctrl_c_in_a_callback(loaded: Rootless) -> None:
    """A Ctrl-C that Python would forget, as no caller is there to raise it in, ends the run."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _INTERRUPTED],
        capture_output=True,
        text=True,
        env=dict(loaded.home.environ),
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
