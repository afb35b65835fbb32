"""`rootless.build.expand`: the rules of "Environment replacement" in the Dockerfile reference."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootless.build.expand import expand, expand_words
from rootless.errors import InvalidInput

VALUES = {
    "A": "a b",
    "EMPTY": "",
    "FILE": "pack.tar.gz",
    "PATHS": "/one/two/three",
    "DOLLAR": "$A",
    "ÄÖ": "letters",
    "NL": "x\ny",
}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$A", "a b"),
        ("${A}bc", "a bbc"),
        ("$A.c", "a b.c"),
        ("$Ax", ""),
        ("$NONE", ""),
        ("$ÄÖ", "letters"),
        ("$", "$"),
        ("a$", "a$"),
        ("$.", "$."),
        ("$$", ""),
        ("$?x", "x"),
        ("$12A", "A"),
        ("$DOLLAR", "$A"),
        (r"\$A", "$A"),
        (r"\\$A", r"\a b"),
        (r"a\ b", "a b"),
        (r"a\b", "ab"),
        ("a\\", "a"),
        ("'$A'", "$A"),
        ("'a\\'", "a\\"),
        ('"$A"', "a b"),
        ("\"'$A'\"", "'a b'"),
        (r'"\$A \" \\ \n"', r'$A " \ \n'),
        ("a'b'\"c\"d", "abcd"),
        ("''", ""),
    ],
)
def test_words_are_read_as_a_shell_reads_them(text: str, made: str) -> None:
    """Variables, quotes and escapes have the meaning that the reference gives them."""
    assert expand(text, VALUES) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("${NONE:-word}", "word"),
        ("${NONE-word}", "word"),
        ("${EMPTY:-word}", "word"),
        ("${EMPTY-word}", ""),
        ("${A:-word}", "a b"),
        ("${A:+word}", "word"),
        ("${A+word}", "word"),
        ("${EMPTY:+word}", ""),
        ("${EMPTY+word}", "word"),
        ("${NONE+word}", ""),
        ("${A:?word}", "a b"),
        ("${EMPTY?word}", ""),
        ("${NONE:-}", ""),
        ("${NONE:-$A}", "a b"),
        ("${NONE:-${NONE:-deep}}", "deep"),
        ("${NONE:-'$A }'}", "$A }"),
        (r"${NONE:-\}}", "}"),
        (r"${NONE:-\$A}", "$A"),
        ("${FILE%.*}", "pack.tar"),
        ("${FILE%%.*}", "pack"),
        ("${FILE#*.}", "tar.gz"),
        ("${FILE##*.}", "gz"),
        ("${FILE%nothing}", "pack.tar.gz"),
        ("${FILE%}", "pack.tar.gz"),
        ("${FILE%?z}", "pack.tar."),
        ("${PATHS##*/}", "three"),
        ("${PATHS%/*}", "/one/two"),
        ("${PATHS#/*/}", "two/three"),
        ("${NL#*y}", ""),
        ("${FILE/a/A}", "pAck.tar.gz"),
        ("${FILE//a/A}", "pAck.tAr.gz"),
        ("${FILE/.*/}", "pack"),
        ("${FILE/./+}", "pack+tar.gz"),
        (r"${PATHS//\//:}", ":one:two:three"),
        (r"${PATHS/\*/:}", "/one/two/three"),
        ("${NONE/a/b}", ""),
        ("${FILE/a/$A}", "pa bck.tar.gz"),
        (r"${FILE//./\\1}", r"pack\1tar\1gz"),
    ],
)
def test_modifiers(text: str, made: str) -> None:
    """Every modifier of the reference: defaults, prefixes, suffixes, replacements."""
    assert expand(text, VALUES) == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("'a", "a closing ' is missing"),
        ('"a', 'a closing " is missing'),
        ('"a\\"', 'a closing " is missing'),
        ("${A", "a } is missing"),
        ("${A:-x", "a } is missing"),
        ("${", "a } is missing"),
        ("${}", "no name of a variable"),
        ("${:-x}", "no name of a variable"),
        ("${{A}}", "no name of a variable"),
        ("${A^^}", "unknown modifier of a variable: \\${A\\^"),
        ("${A:=x}", "unknown modifier of a variable: \\${A:="),
        ("${A:", "unknown modifier"),
        ("${A/x}", "a / is missing"),
        ("${NONE:?}", "this variable must be set: NONE .--build-arg NONE="),
        ("${NONE?}", "this variable must be set"),
        ("${EMPTY:?say why}", "say why: EMPTY"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """What cannot be read is told, with what is missing."""
    with pytest.raises(InvalidInput, match=says):
        expand(text, VALUES)


def test_the_escape_can_be_a_backtick() -> None:
    """With `# escape=`` a backslash is a character as any other."""
    assert expand("C:\\x`$A `` $A", VALUES, escape="`") == "C:\\x$A ` a b"
    assert expand('"`"`$"', VALUES, escape="`") == '"$'


def test_a_here_document_keeps_its_quotes() -> None:
    r"""In a here-document quotes mean nothing; `\` still escapes, as BuildKit has it."""
    text = '"quotes" it\'s\n\\\n\\\\\n\\$A $A\n'
    assert expand(text, VALUES, keep_quotes=True) == '"quotes" it\'s\n\n\\\n$A a b\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  ", []),
        ("$NONE", []),
        ("$A", ["a", "b"]),
        ('"$A"', ["a b"]),
        ("x$A", ["xa", "b"]),
        ("${A}x y", ["a", "bx", "y"]),
        ("a\\ b c", ["a b", "c"]),
        ("'a b'c d", ["a bc", "d"]),
        ("80 $EMPTY 90", ["80", "90"]),
        ('""', [""]),
    ],
)
def test_splits_after_it_has_replaced(text: str, words: list[str]) -> None:
    """A value with spaces is several words, unless it is in quotes."""
    assert expand_words(text, VALUES) == words


PLAIN = st.text(st.characters(exclude_characters="'\"\\$", exclude_categories=["Cs"]))


@given(PLAIN)
def test_a_text_without_signs_is_itself(text: str) -> None:
    """Only quotes, escapes and dollars mean anything."""
    assert expand(text, {}) == text


@given(st.text(max_size=40))
def test_what_is_escaped_is_itself(text: str) -> None:
    """Any text can be written in single quotes, or with an escape before each character."""
    assert expand("".join(f"\\{c}" for c in text), {}) == text
    assert expand("'" + text.replace("'", "'\\''") + "'", {}) == text


SIGNS = st.text(st.sampled_from("$${}:-+?#%/'\"\\ AB*a\n"), max_size=30)


@given(SIGNS, SIGNS, st.sampled_from("\\`"))
def test_no_text_does_anything_but_expand_or_be_refused(text: str, value: str, escape: str) -> None:
    """Whatever the text, it is read or refused; and a word is its words, without the spaces."""
    values = {"A": value, "B": ""}
    try:
        word = expand(text, values, escape=escape)
    except InvalidInput:
        return
    words = expand_words(text, values, escape=escape)
    bare = str.maketrans("", "", string.whitespace)
    assert "".join(words).translate(bare) == word.translate(bare)


@given(st.text(max_size=20), st.text(st.sampled_from("ab*?."), max_size=5))
def test_prefix_and_suffix_are_a_part(value: str, pattern: str) -> None:
    """What # leaves is an end of the value, what % leaves its beginning; doubled, no more."""
    made = {mark: expand(f"${{V{mark}{pattern}}}", {"V": value}) for mark in ("#", "##", "%", "%%")}
    assert value.endswith(made["#"])
    assert made["#"].endswith(made["##"])
    assert value.startswith(made["%"])
    assert made["%"].startswith(made["%%"])


@given(st.text("ab", max_size=12), st.lists(st.sampled_from("ab*?"), max_size=7))
def test_patterns_fit_what_a_shells_do(value: str, signs: list[str]) -> None:
    """The shortest and the longest prefix and suffix, and the longest part, are those that fit."""
    pattern = "".join(signs)
    fits = re.compile(pattern.replace("*", ".*").replace("?", "."))
    cuts = [n for n in range(len(value) + 1) if fits.fullmatch(value[:n])]
    assert expand(f"${{V#{pattern}}}", {"V": value}) == value[min(cuts, default=0) :]
    assert expand(f"${{V##{pattern}}}", {"V": value}) == value[max(cuts, default=0) :]
    cuts = [n for n in range(len(value) + 1) if fits.fullmatch(value[n:])]
    assert expand(f"${{V%{pattern}}}", {"V": value}) == value[: max(cuts, default=len(value))]
    assert expand(f"${{V%%{pattern}}}", {"V": value}) == value[: min(cuts, default=len(value))]
    if pattern:
        assert expand(f"${{V/{pattern}/_}}", {"V": value}) == fits.sub("_", value, count=1)
        assert expand(f"${{V//{pattern}/_}}", {"V": value}) == fits.sub("_", value)


def test_what_would_take_forever() -> None:
    """A pattern that divides a text in many ways is one pass, and no value grows without end."""
    values = {"V": "a" * 5000}
    for text in ("${V#*a*a*a*a*a*a*ab}", "${V%%b*a*a*a*a*a*a}", "${V/*a*a*a*a*a*ab/x}"):
        assert expand(text, values) == values["V"]
    grown = {"V": "a" * 500_000}
    assert len(expand('$V"$V"', grown)) == 1_000_000
    with pytest.raises(InvalidInput, match="becomes too long"):
        expand('$V"$V"$V', grown)
