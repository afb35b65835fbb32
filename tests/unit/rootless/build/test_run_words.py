"""`rootless.build.run_words`: what a RUN executes."""

import pytest
from containerfiles import one

from rootless.build.run_words import run_words, script_of

SHELL = ("/bin/sh", "-c")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RUN a  $B && c", [*SHELL, "a  $B && c"]),
        ('RUN ["a", "b c"]', ["a", "b c"]),
        ("RUN <<E\na\nb\nE", [*SHELL, "a\nb\n"]),
        ("RUN <<'E'\na\nE", [*SHELL, "a\n"]),
        ("RUN <<-E\n\ta\nE", [*SHELL, "a\n"]),
        ("RUN --network=none <<E\na\nE", [*SHELL, "a\n"]),
        ("RUN python <<E\nprint(1)\nE", [*SHELL, "python <<E\nprint(1)\nE"]),
        ("RUN a <<A && b <<-'B'\n1\nA\n\t2\n\tB", [*SHELL, "a <<A && b <<-'B'\n1\nA\n2\nB"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    """A shell's words go to the shell, with their here-documents; a lone one is the script."""
    assert run_words(SHELL, one(text)) == words


@pytest.mark.parametrize(
    ("text", "is_script"),
    [
        ("RUN <<E\n#!/usr/bin/env python3\nprint(1)\nE", True),
        ("RUN <<'E F'\n#!/bin/sh\nE F", True),
        ("RUN <<-E\n\t#!/bin/sh\n\ttrue\nE", True),
        ("RUN <<E\ntrue\nE", False),
        ("RUN cat <<E\n#!/bin/sh\nE", False),
        ("RUN <<A <<B\n#!/bin/sh\nA\n#!/bin/sh\nB", False),
        ("RUN true", False),
        ('RUN ["true"]', False),
    ],
)
def test_scripts(text: str, is_script: bool) -> None:  # noqa: FBT001 - a parameter
    """A here-document with an interpreter of its own is a file to execute."""
    found = script_of(one(text))
    assert (found is not None) == is_script
    assert found is None or found.content.startswith("#!")
