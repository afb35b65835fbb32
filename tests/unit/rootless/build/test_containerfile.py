"""`rootless.build.containerfile`: instructions, and one line for each thing that is wrong."""

import pytest
from containerfiles import one, parsed
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.build.containerfile import (
    MAX_BYTES,
    Heredoc,
    Instruction,
    parse,
    parse_triggers,
    shown,
)
from rootless.build.parser import LONGEST_LINE
from rootless.errors import BuildError


def test_an_instruction() -> None:
    """Keyword, flags, words and place; the source is its text in one line."""
    made = parsed("FROM a\ncopy --from=x --chown=1:2 \\\n  a 'b' \\\n  /c")[1]
    assert made == Instruction(
        keyword="COPY",
        flags=(("from", "x"), ("chown", "1:2")),
        words=("a", "'b'", "/c"),
        is_exec_form=False,
        heredocs=(),
        line=2,
        end_line=4,
        source="copy --from=x --chown=1:2   a 'b'   /c",
        file="Containerfile",
        escape="\\",
    )
    assert made.flag("chown") == "1:2"
    assert made.flag("chmod") == ""
    assert made.sources == ("a", "'b'")
    assert made.destination == "/c"
    assert str(made.fault("no", "x", "do")) == "Containerfile:2: no: x (do)"


@pytest.mark.parametrize(
    ("text", "heredocs"),
    [
        ("RUN <<E\n$A\nE", (Heredoc("E", "$A\n", True),)),
        ("RUN <<'E'\n$A\nE", (Heredoc("E", "$A\n", False),)),
        ('RUN <<"E"\n$A\nE', (Heredoc("E", "$A\n", False),)),
        ("RUN <<\\E\n$A\nE", (Heredoc("E", "$A\n", False),)),
        ("RUN <<'E F'\nx\nE F", (Heredoc("E F", "x\n", False),)),
        ("RUN <<-E\n\t\tx\n y\n\tE", (Heredoc("E", "x\n y\n", True),)),
        ("RUN 3<<E cat\nx\nE", (Heredoc("E", "x\n", True),)),
        ("RUN a '<<X' <<E b\nx\nE", (Heredoc("E", "x\n", True),)),
        ("RUN <<E\nE", (Heredoc("E", "", True),)),
        ("RUN <<E\nRUN x \\\n# no comment\nE", (Heredoc("E", "RUN x \\\n# no comment\n", True),)),
        (
            "COPY x <<a <<-'b' /d\n1\na\n\t2\nb",
            (Heredoc("a", "1\n", True, 1), Heredoc("b", "2\n", False, 2)),
        ),
        ('RUN ["<<E"]', ()),
    ],
)
def test_here_documents(text: str, heredocs: tuple[Heredoc, ...]) -> None:
    """A quoted word keeps variables as they are; `<<-` takes the tabs away."""
    assert one(text).heredocs == heredocs


def test_a_here_document_is_a_source() -> None:
    """COPY has files and here-documents beside each other, in their order."""
    made = one("COPY a <<b c /d/\nx\nb")
    assert made.sources == ("a", Heredoc("b", "x\n", True, 1), "c")
    assert made.destination == "/d/"


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("ONBUILD RUN a", "RUN a"),
        ("onbuild run a", "run a"),
        ("ONBUILD   COPY --chown=1   a \\\n  b", "COPY --chown=1   a   b"),
        ('ONBUILD CMD ["a"]', 'CMD ["a"]'),
        ("ONBUILD RUN <<E\n $A\nE", "RUN <<E\n $A\nE"),
        ("ONBUILD COPY <<E <<F /\n1\nE\n2\nF", "COPY <<E <<F /\n1\nE\n2\nF"),
    ],
)
def test_onbuild_is_kept_as_a_text(text: str, trigger: str) -> None:
    """What the config gets is a Containerfile of one instruction, and reads as that again."""
    made = one(text)
    assert made.words == (trigger,)
    (again,) = parse_triggers(made.words, "img")
    assert again.file == "ONBUILD of img"
    assert again.keyword == trigger.split(maxsplit=1)[0].upper()


def test_triggers_are_numbered() -> None:
    """An image's ONBUILD instructions have their number for a line, and their own escape."""
    found = parse_triggers(["RUN a", "RUN <<E\nb\nE", "COPY a b"], "img")
    assert [each.line for each in found] == [1, 2, 3]
    assert parse_triggers([], "img") == ()
    for bad in (
        "FROM x",
        "ONBUILD RUN x",
        "maintainer x",
        "",
        "RUNN x",
        "ENV x",
        "RUN \0",
        "a\ud800",
    ):
        with pytest.raises(BuildError, match=r"^ONBUILD of img"):
            parse_triggers(["RUN a", bad], "img")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FROM a\nFORM b", ":2: unknown instruction: FORM (did you mean FROM?)"),
        ("FROM a\n\n\nRUM b", ":4: unknown instruction: RUM (did you mean RUN?)"),
        ("FROM a\nCOPY b", ":2: COPY lacks a destination: b (COPY SOURCE… DESTINATION)"),
        ("FROM a\nCOPY --frm=x b c", ":2: unknown flag of COPY: --frm (did you mean --from?)"),
        ("FROM a\nENV b", ":2: ENV lacks a value: ENV b (NAME=VALUE, with quotes"),
        ("FROM a\nLABEL b=c d", ':2: no = in "d": LABEL b=c d (NAME=VALUE'),
        (
            "FROM a\nRUN <<E\nx",
            ":2: a here-document has no end: RUN <<E (its word must stand alone",
        ),
        ("FROM a\nCMD [1]", ":2: a JSON array with something else than strings"),
        ("FROM a\nSHELL bash", ":2: SHELL needs a JSON array: bash (SHELL ["),
        ("FROM a\nONBUILD", ":2: ONBUILD lacks an instruction (ONBUILD INSTRUCTION…)"),
        ("FROM a\nONBUILD FROM b", ":2: ONBUILD cannot put this off: FROM"),
        ("FROM a\nONBUILD RUNN b", ":2: unknown instruction: RUNN (did you mean RUN?)"),
        ("FROM a\n\nONBUILD COPY b", ":3: COPY lacks a destination: b"),
        ("FROM a\n\\\n", ":2: a line goes on with nothing (take the escape"),
        ("FROM a\nONBUILD # escape=`", ":2: ONBUILD lacks an instruction"),
        ("# escape=x\nFROM a", ":1: x cannot be the escape character: # escape=x (# escape=\\ or"),
        ("# escape=`\n# escape=`\nFROM a", ":1: # escape= is there twice"),
        ("", ": nothing to build (the first instruction is FROM IMAGE)"),
        ("FROM a\nRUN \0", ":2: a NUL character"),
        ("FROM a\nCOPY <<'a b' /x\ny\na b\n", ":2: a here-document whose word cannot be told: a b"),
        ("FROM a\n\x1b[31m x", ":2: unknown instruction: \N{REPLACEMENT CHARACTER}[31M (there are"),
        ("FROM a\nFOO" + "O" * 500, "OOO… (there are"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """One line with the file, the line and what to do; nothing that controls a terminal."""
    with pytest.raises(BuildError) as caught:
        parsed(text)
    line = str(caught.value)
    assert line.startswith("Containerfile:")
    assert says in line
    assert line.isprintable()


def test_refuses_what_is_no_text() -> None:
    """A file that is not UTF-8, or longer than any Containerfile."""
    with pytest.raises(BuildError, match=r"^C:3: not valid UTF-8$"):
        parse(b"FROM a\nRUN a\nRUN \xff", "C")
    with pytest.raises(BuildError, match=r"^C: longer than a Containerfile can be"):
        parse(b"#" * (MAX_BYTES + 1), "C")


def test_refuses_what_no_image_could_tell_of() -> None:
    """Each instruction is a line of the image's history, and those are bounded."""
    assert len(parse(b"FROM a\n" + b"ENV A=1\n" * 9_999, "C")) == 10_000
    with pytest.raises(BuildError, match=r"^C: too many instructions: 10001"):
        parse(b"FROM a\n" + b"ENV A=1\n" * 10_000, "C")


def test_a_long_line() -> None:
    """The parser's limit is told with the line, in a here-document and a comment too."""
    fits = "x" * LONGEST_LINE
    (document,) = one(f"COPY <<E /x\n{fits}\nE").heredocs
    assert document.content == fits + "\n"
    for text in ("RUN x{}", "COPY <<E /x\n{}x\nE", "# {}"):
        with pytest.raises(BuildError, match=r"^Containerfile:[23]: a line of more than 65535"):
            one(text.format(fits))


def test_shown() -> None:
    """A text for a line: cut, and without what controls a terminal."""
    assert shown("a\nb\x1b") == "a\ufffdb\ufffd"
    assert len(shown("a" * 1000)) == 201


WORDS = [
    "FROM",
    "RUN",
    "COPY",
    "ADD",
    "ENV",
    "ARG",
    "ONBUILD",
    "HEALTHCHECK",
    "CMD",
    "SHELL",
    "LABEL",
    "VOLUME",
    "<<E",
    "<<-'E'",
    "E",
    '["',
    '"]',
    ",",
    "--from=x",
    "--mount=",
    '"a',
    "'",
    '"',
    "#",
    "`",
    "=",
    "$A",
    "${",
    "a=b",
    "\\",
    "escape=`",
    "1",
    "é",
]
PIECES = st.lists(
    st.one_of(
        st.sampled_from([*WORDS, "\n", "\\\n", "\r\n", "\t"]),
        st.text(max_size=4),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(PIECES)
def test_any_text_is_read_or_refused(pieces: list[str]) -> None:
    """Whatever is in the file, it is instructions with a place, or one printable line."""
    data = " ".join(pieces).encode("utf-8", "surrogatepass")
    found: tuple[Instruction, ...] = ()
    said = ""
    try:
        found = parse(data, "C")
    except BuildError as error:
        said = str(error)
    assert said.isprintable()
    assert bool(found) != said.startswith("C:")
    lines = data.count(b"\n") + 1
    places = [(each.line, each.end_line) for each in found]
    assert places == sorted(places)
    assert all(1 <= line <= end <= lines for line, end in places)
    assert all("\n" not in each.source for each in found)
