"""Wrong Containerfiles and contexts: one line that names file and line, and nothing is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import loading
import pytest
from executable import Result, Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A build that must be refused.

    Attributes:
        name: Of the test.
        text: The Containerfile.
        line: The line that is wrong; 0 where no line is.
        says: What the message has.
        options: Of the build.
        context: Makes what else the context has.
    """

    name: str
    text: str
    line: int
    says: tuple[str, ...]
    options: tuple[str, ...] = ()
    context: Callable[[Path], object] = lambda _folder: None


def _outward(folder: Path) -> None:
    (folder / "out").symlink_to("..")
    (folder.parent / "outside").write_text("private\n")


def _secret(folder: Path) -> None:
    (folder / "token").write_text("correct horse\n")


_FROM = "FROM debian-demo\n"
WRONG = (
    Wrong("unknown-instruction", f"{_FROM}RUM true\n", 2, ("RUM",)),
    Wrong("unknown-flag", f"{_FROM}COPY --chwon=1 a b\n", 2, ("chwon",)),
    Wrong("no-from", "RUN true\n", 1, ("FROM",)),
    Wrong("empty-file", "# nothing\n", 0, ("FROM",)),
    Wrong("too-few-words", f"{_FROM}\n\nCOPY a\n", 4, ("COPY",)),
    Wrong("not-json", f"{_FROM}SHELL /bin/sh\n", 2, ("SHELL",)),
    Wrong("unfinished-heredoc", f"{_FROM}RUN <<EOF\ntrue\n", 2, ("EOF",)),
    Wrong(
        "missing-source", f"{_FROM}ENV A=1\nCOPY token none /to/\n", 3, ("none",), context=_secret
    ),
    Wrong("missing-glob", f"{_FROM}COPY *.none /to/\n", 2, ("*.none",)),
    Wrong("up-and-out", f"{_FROM}COPY ../outside /\n", 2, ("../outside",), context=_outward),
    Wrong("out-by-a-link", f"{_FROM}COPY out/outside /\n", 2, ("out/outside",), context=_outward),
    Wrong(
        "several-into-a-file",
        f"{_FROM}COPY token Containerfile /etc/passwd\n",
        2,
        ("/etc/passwd",),
        context=_secret,
    ),
    Wrong("bad-mode", f"{_FROM}COPY --chmod=9 token /\n", 2, ("chmod",), context=_secret),
    Wrong("bad-owner", f"{_FROM}COPY --chown=nosuch token /\n", 2, ("nosuch",), context=_secret),
    Wrong(
        "circle",
        f"{_FROM[:-1]} AS a\nCOPY --from=b /x /\n{_FROM[:-1]} AS b\nCOPY --from=a /x /\n",
        2,
        ("b",),
    ),
    Wrong("itself", f"{_FROM[:-1]} AS a\nCOPY --from=a /x /\n", 2, ("a",)),
    Wrong("no-such-stage", f"{_FROM}COPY --from=7 /x /\n", 2, ("7",)),
    Wrong("no-such-target", f"{_FROM[:-1]} AS a\n", 0, ("nope",), ("--target", "nope")),
    Wrong("no-such-base", "\nFROM nosuch:1\n", 2, ("nosuch",), ("--pull=never",)),
    Wrong("other-machine", "FROM --platform=linux/s390x debian-demo\n", 1, ("linux/s390x",)),
    Wrong("required-variable", f'{_FROM}ENV A="${{B:?is needed}}"\n', 2, ("is needed",)),
    Wrong("bad-mount", f"{_FROM}RUN --mount=type=magic true\n", 2, ("magic",)),
    Wrong(
        "required-secret", f"{_FROM}RUN --mount=type=secret,id=s,required=true true\n", 2, ("s",)
    ),
    Wrong(
        "secret-in-a-layer",
        f"{_FROM}LABEL a=1\nCOPY . /all/\n",
        3,
        ("secret", "token"),
        ("--secret", "id=s,src=token"),
        context=_secret,
    ),
    Wrong("bad-port", f"{_FROM}EXPOSE many\n", 2, ("many",)),
    Wrong("bad-signal", f"{_FROM}STOPSIGNAL SIGNONE\n", 2, ("SIGNONE",)),
    Wrong("failed-step", f"{_FROM}RUN echo why >&2; exit 7\n", 2, ("7",)),
)


def build(rootless: Rootless, context: Path, *options: str) -> Result:
    """Build, in the context's folder as people do."""
    return rootless("build", *options, "-t", "wrong", ".", cwd=context)


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.name for wrong in WRONG])
def test_one_line_with_file_and_line(builder: Rootless, tmp_path: Path, wrong: Wrong) -> None:
    """The last line says where and why; no image has come of it."""
    context = tmp_path / "context"
    context.mkdir()
    wrong.context(context)
    (context / "Containerfile").write_text(wrong.text)
    before = loading.objects(builder.home.store)
    result = build(builder, context, *wrong.options)
    assert result.status not in (0, 1), result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("rootless: ")
    assert "internal error" not in result.stderr
    assert "Traceback" not in result.stderr
    if wrong.line:
        assert last.count(f"Containerfile:{wrong.line}: ") == 1
    missing = [text for text in wrong.says if text not in last]
    assert not missing, f"{missing} not in: {last}"
    assert "private" not in result.stderr
    assert loading.objects(builder.home.store) == before
    assert loading.temp_files(builder.home.store) == []


def test_a_missing_source_is_found_before_anything_runs(builder: Rootless, tmp_path: Path) -> None:
    """In a later stage, too, and with variables in its name; what is no more in doubt is not."""
    (tmp_path / "here").touch()
    text = (
        "FROM debian-demo AS first\nENV NAME=none\nRUN echo ran\nCOPY here /\n"
        "FROM first\nCOPY ${NAME:-x}.txt /\n"
    )
    (tmp_path / "Containerfile").write_text(text)
    failed = builder("build", ".", cwd=tmp_path)
    last = failed.stderr.splitlines()[-1]
    assert "Containerfile:6: no such file in the build context: none.txt" in last
    assert failed.status == 125
    assert " ran\n" not in failed.stderr
    (tmp_path / "Containerfile").write_text(text.replace("/\n", "/\nRUN mv /here /there\n", 1))
    (tmp_path / "none.txt").touch()
    assert builder("build", ".", cwd=tmp_path).status == 0


@pytest.mark.both_users
def test_quiet_shows_what_failed(builder: Rootless, tmp_path: Path) -> None:
    """The end of what the step said, then the line; the status is the command's."""
    (tmp_path / "Containerfile").write_text(
        "FROM debian-demo\nRUN seq 100; echo $((6 * 7)); exit 7\n"
    )
    failed = builder("build", "-q", ".", cwd=tmp_path)
    lines = failed.stderr.splitlines()
    assert (failed.status, failed.stdout) == (7, "")
    assert lines[0] == "52"
    assert lines[-2] == "42"
    assert "Containerfile:2: exit status 7" in lines[-1]


@pytest.mark.both_users
def test_a_failed_step_shows_its_output(builder: Rootless, tmp_path: Path) -> None:
    """With its number and line; the steps before it are in the cache, and it is tried again."""
    (tmp_path / "Containerfile").write_text(
        "FROM debian-demo\nRUN echo one > /one\nRUN echo out; echo err >&2; test -e /two\n"
    )
    words = ("build", "-t", "made", ".")
    failed = builder(*words, cwd=tmp_path)
    assert failed.status != 0
    said = failed.stdout + failed.stderr
    assert "out\n" in said
    assert "err\n" in said
    assert "Containerfile:3: " in failed.stderr.splitlines()[-1]
    (tmp_path / "Containerfile").write_text(
        "FROM debian-demo\nRUN echo one > /one\nRUN echo two > /two\nRUN test -e /one -a -e /two\n"
    )
    done = builder(*words, cwd=tmp_path)
    assert done.status == 0
    assert (done.stdout + done.stderr).count("CACHED") == 1
