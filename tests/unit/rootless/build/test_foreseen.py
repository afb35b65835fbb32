"""`rootless.build.foreseen`: what a COPY takes that is not there."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import copying
import pytest
from containerfiles import planned

from rootless.build.around import Around
from rootless.build.foreseen import check_sources
from rootless.build.request import BuildRequest
from rootless.errors import BuildError


def _around(stage: copying.Stage, folder: Path, text: str, run_words: Iterable[str] = ()) -> Around:
    context = stage.context(folder, ("a.txt", "d/b", ".dockerignore"))
    nothing = cast("Any", SimpleNamespace())
    request = BuildRequest(run_words=tuple(run_words))
    return Around(
        *(nothing, nothing, request, planned(text)),
        image_of=lambda name: pytest.fail(f"asked for {name}"),
        open_context=lambda: context,
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("COPY none /", "2: no such file in the build context: none"),
        ("RUN x\nCOPY a.txt d/*.md /d/", "3: no such file in the build context: d/*.md"),
        ("ARG A=no\nENV B=${A}ne\nADD $B /", "4: no such file in the build context: none"),
        ("COPY --exclude=*.txt a.txt /", "2: --exclude keeps it away from the build: a.txt"),
        ("COPY ../a /", "2: leads out of the build context: ../a"),
        ("RUN x\nFROM scratch\nCOPY --from=0 a /\nCOPY none /", "5: no such file"),
    ],
)
def test_is_found(stage: copying.Stage, tmp_path: Path, text: str, says: str) -> None:
    """With the line that asks for it, whatever runs before."""
    with pytest.raises(BuildError) as caught:
        check_sources(_around(stage, tmp_path, f"FROM scratch\n{text}"), {})
    assert f"Containerfile:{says}" in str(caught.value)


def test_what_is_not_in_doubt(stage: copying.Stage, tmp_path: Path) -> None:
    """Files that are there, addresses, other stages, here-documents, and steps that are done."""
    text = (
        "FROM scratch\nCOPY gone /\nCOPY a.txt d /d/\nADD https://host.example/x /\n"
        "COPY <<E /e\nE\nFROM scratch\nCOPY --from=0 /none /\n"
    )
    check_sources(_around(stage, tmp_path, text), {0: 1})


def test_what_a_run_may_write(stage: copying.Stage, tmp_path: Path) -> None:
    """A volume may be the context."""
    text = "FROM scratch\nRUN x\nCOPY none /"
    check_sources(_around(stage, tmp_path, text, ["volume=/context:/c"]), {})
