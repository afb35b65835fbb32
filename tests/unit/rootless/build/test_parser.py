"""`rootless.build.parser`: BuildKit's parser, what it does not tell, and its end."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from rootless.build.parser import Parsed, answers, parse_texts
from rootless.errors import Precondition, RootlessError


def parsed(text: str) -> Parsed:
    """Return what a text says."""
    (found,) = parse_texts([text])
    assert not found["fault"]
    return found


def fault(text: str) -> tuple[str, int]:
    """Return what is wrong with a text, and its line."""
    (found,) = parse_texts([text])
    assert not found["commands"]
    return found["fault"], found["line"]


def values(text: str) -> list[tuple[str, ...]]:
    """Return the words of each instruction."""
    return [tuple(command["value"]) for command in parsed(text)["commands"]]


@pytest.mark.parametrize(
    ("text", "escape", "words"),
    [
        ("RUN a \\\n b", "\\", [("a  b",)]),
        ("# escape=`\nRUN a `\n b", "`", [("a  b",)]),
        ("# Escape = ` \nRUN a `\n b", "`", [("a  b",)]),
        ("# syntax=docker/dockerfile:1\n# escape=`\nRUN a `\n b", "`", [("a  b",)]),
        ("# escape=\\\nRUN a \\\n b", "\\", [("a  b",)]),
        ("# a comment\n# escape=`\nRUN a \\\n b", "\\", [("a  b",)]),
        ("\n# escape=`\nRUN a \\\n b", "\\", [("a  b",)]),
        ("RUN a\n# escape=`\nRUN b", "\\", [("a",), ("b",)]),
        ("\ufeff# escape=`\nRUN a `\n b", "`", [("a  b",)]),
    ],
)
def test_the_escape_directive(text: str, escape: str, words: list[tuple[str, ...]]) -> None:
    """A directive counts only above everything else, and in front of comments."""
    assert parsed(text)["escape"] == escape
    assert values(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RUN a \\\n# comment\n   # another\n b", [("a  b",)]),
        ("RUN a \\\n\n\n b", [("a  b",)]),
        ("RUN a \\  \n b", [("a  b",)]),
        ("RUN a\\\nb", [("ab",)]),
        ("RUN a\\\\\nRUN b", [("a\\\\",), ("b",)]),
        ("RUN a \\\n", [("a",)]),
        ("RUN a # b", [("a # b",)]),
        ("# c\n  # d\nRUN a", [("a",)]),
        ("RUN a\r\nRUN b\r\n", [("a",), ("b",)]),
        ("  run   a   b  ", [("a   b",)]),
        ("\ufeffRUN a", [("a",)]),
        ("COPY a\tb  c", [("a", "b", "c")]),
        ('COPY "a b" c', [('"a', 'b"', "c")]),
        ('COPY ["a b", "c"]', [("a b", "c")]),
        ("ENV A=1 B='2 3' C=\\ 4", [("A", "1", "B", "'2 3'", "C", "\\ 4")]),
        ("ENV A 1  2 ", [("A", "1  2")]),
        ("ENV A=B C=D=E", [("A", "B", "C", "D=E")]),
        ("CMD [ 'a' ]", [("[ 'a' ]",)]),
        ('CMD [ "a",\\\n "b" ]', [("a", "b")]),
        ("RUN cat <<<here && echo $((1<<2))", [("cat <<<here && echo $((1<<2))",)]),
    ],
)
def test_lines_and_words(text: str, words: list[tuple[str, ...]]) -> None:
    """Continued lines, comments in them, and words, as the reference has them."""
    assert values(text) == words


def test_here_documents() -> None:
    """Several of them, each to its word; the instruction ends with the last."""
    text = "RUN a <<A <<-B\n1\nA\n\t2\n\tB\nRUN b"
    first, second = parsed(text)["commands"]
    assert first["heredocs"] == [["A", "1\n"], ["B", "\t2\n"]]
    assert (first["start_line"], first["end_line"], second["start_line"]) == (1, 5, 6)


def test_what_onbuild_puts_off() -> None:
    """Its flags and here-documents are not lost."""
    text = "ONBUILD \\\n RUN --mount=type=tmpfs,target=/x <<E\nwords\nE\nRUN b"
    first, second = parsed(text)["commands"]
    trigger = first["trigger"]
    assert trigger is not None
    assert trigger["flags"] == ["--mount=type=tmpfs,target=/x"]
    assert trigger["heredocs"] == [["E", "words\n"]]
    assert second["trigger"] is None
    with_backtick = parsed("# escape=`\nONBUILD RUN a `\n b")["commands"][0]["trigger"]
    assert with_backtick is not None
    assert with_backtick["value"] == ["a  b"]
    assert parsed("ONBUILD")["commands"][0]["trigger"] is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM a\nENV b", 2),
        ("FROM a\n\n# c\n\nENV b=c \\\n\n # d\n e\nRUN x", 5),
        ('FROM a\nRUN x \\\n y\nCMD ["a", \\\n 1]', 4),
        ("FROM a\nRUN <<E\nENV x\nE\nENV y\n", 5),
        ("FROM a\nRUN <<E <<-F\n1\nE\n2\n\tF\nLABEL y\n", 7),
        ("FROM a\nRUN <<E\nENV x\n", 2),
        ("FROM a\nRUN x\nCOPY <<E <<F /\nE\n", 3),
        ("# escape=`\nFROM a\nRUN x `\n y\nENV b", 5),
        ("FROM a\nONBUILD ENV b", 2),
        ("# escape=x\nFROM a", 1),
        ("# escape=`\n# escape=`\nFROM a", 1),
        ("FROM a\r\nENV b\r\n", 2),
        ("\ufeffENV b", 1),
        ("ENV b", 1),
    ],
)
def test_the_line_of_a_fault(text: str, line: int) -> None:
    """The parser names none: it is where the instruction begins that cannot be read."""
    assert fault(text)[1] == line


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n# comments", "# escape=`\n"])
def test_nothing_in_it(text: str) -> None:
    """A file without instructions has no line to blame."""
    assert fault(text) == ("file with no instructions", 0)


def test_a_long_file_is_not_searched_for_ever() -> None:
    """The search for the line ends where it costs too much; the fault is told without it."""
    text = "RUN a \\\n" + "b \\\n" * 2000 + "c\nENV x"
    assert fault(text) == ("ENV must have two arguments", 0)


def test_leaves_nothing_behind() -> None:
    """No thread and no process of the parser's is left, and nothing of it is in this process."""
    before = os.listdir("/proc/self/task")
    parsed("FROM a")
    assert os.listdir("/proc/self/task") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert "dockerfile" not in sys.modules


def test_dies_of_a_limit_on_memory_with_an_error() -> None:
    """Under `ulimit -v` the parser cannot start: that is told, and this process goes on."""
    script = (
        "from rootless.build.parser import parse_texts\n"
        "from rootless.errors import RootlessError\n"
        "try:\n    parse_texts(['FROM a'])\n"
        "except RootlessError as error:\n    print(error)\n"
    )

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))

    done = subprocess.run(
        [sys.executable, "-c", script], preexec_fn=limit, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("the parser of Containerfiles died (is there a limit")
    assert done.stderr == ""


def test_without_the_parser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is not installed, the error says how to have it."""
    (tmp_path / "dockerfile.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(Precondition, match=r"pip install 'rootless\[build\]'") as caught:
        parse_texts(["FROM a"])
    assert isinstance(caught.value, RootlessError)
    assert answers(["FROM a"]) is None
