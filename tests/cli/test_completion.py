"""Completion: real shells on a terminal, in which Tab is pressed."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import images
import pytest
from executable import Rootless
from pseudo_terminal import PseudoTerminal

START, END = "\x01", "\x05"  # Ctrl-A and Ctrl-E, in all three

SHELLS: Mapping[str, tuple[list[str], str]] = {
    "bash": (["bash", "--norc", "-i"], "source <(rootless completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "bindkey -e; autoload -Uz compinit; compinit -u -D; source <(rootless completion zsh)",
    ),
    "fish": (["fish", "--no-config", "-i"], "rootless completion fish | source"),
}

TYPED = {
    "bundle c": "bundle create",
    "run --overlay-": "run --overlay-driver",
    "run --pull alw": "run --pull always",
    "run --pull=alw": "run --pull=always",
    "run --rm -it pi": "run --rm -it pic:latest",
    "rmi docker.io/library/pic:l": "rmi docker.io/library/pic:latest",
    "rm we": "rm web",
    "run --network container:w": "run --network container:web",
    "run --profile nig": "run --profile nightly",
    "alias remove no": "alias remove node",
    "umount fol": "umount folder",
    "run pic cat fi": "run pic cat file",
    "run pic --overlay-": "run pic --overlay-",  # the workload's own
    "nosuch x": "nosuch x",
}


@pytest.fixture
def filled(rootless: Rootless, tmp_path: Path) -> Rootless:
    """A user with one image, container, alias and profile, and a file and a folder."""
    source = images.docker_archive(tmp_path / "a.tar", [images.small_layer()], names=["pic"])
    rootless.ok("load", source)
    rootless.ok("create", "--name", "web", "pic", "true")
    home = Path(rootless.home.environ["HOME"])
    settings = home / ".config" / "rootless"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text('[profiles.nightly]\nimage = "pic"\n')
    (settings / "aliases.toml").write_text('[aliases.node]\nimage = "pic"\n')
    (home / "folder").mkdir()
    (home / "file").touch()
    return rootless


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, filled: Rootless) -> Iterator[PseudoTerminal]:
    """A shell with `rootless` on its PATH, that has read the script."""
    words, setup = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        pytest.fail(f"no {words[0]} here; contrib/bootstrap installs it")
    folder = Path(filled.executable).parent
    environ = {**filled.home.environ, "TERM": "xterm", "INPUTRC": "/dev/null"}
    environ["PATH"] = f"{folder}:{environ['PATH']}"
    with PseudoTerminal(words, environ) as terminal:
        terminal.type(f"cd; {setup}; echo rea''dy\n")
        terminal.expect("ready")
        yield terminal


def test_completes(shell: PseudoTerminal) -> None:
    """Tab completes commands, options, their values, names of what is there, and files."""
    for typed, completed in TYPED.items():
        shell.type(f"rootless {typed}\t")
        shell.type(f"{START}echo '<' {END} '>'\n")
        shell.expect("< rootless ")
        assert shell.expect(" >").strip().rstrip("/") == completed  # zsh takes it away again


def test_an_unknown_shell(rootless: Rootless) -> None:
    """A shell that has no completion is named, and those that have one."""
    said = rootless("completion", "dash")
    assert said.status == 125
    assert "dash" in said.stderr
    assert "bash, zsh or fish" in said.stderr
    assert said.stderr.count("\n") == 1


LINES = {
    "rootless rm 'we": "web",
    'rootless rm "we': "web",
    "rootless  rm   w\\e": "web",
    "rootless run docker.io/library/pic:": "latest",
    "rootless run --pull=ne": "newer never",
    "rootless --store ro:/x rm ": "web",
    "rootless run -e A=B --name x pi": "pic:latest",
    "rootless run -eA pi": "pic:latest",
    "rootless cp w": "web:",
    "rootless rm -- ": "web",
    "rootless exec web --": "",
}


def test_lines_of_bash(filled: Rootless) -> None:
    """A line is taken apart as bash has it, and bash keeps what is before its word breaks."""
    for line, words in LINES.items():
        said = filled.ok("__complete", "bash", " \t\n\"'><=;|&(:", line)
        _, *found = said.splitlines()
        assert " ".join(each.partition("\t")[0] for each in found) == words, line
