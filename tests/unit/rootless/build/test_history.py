"""`rootless.build.history`: the words that docker, podman and buildah write down."""

import pytest
from containerfiles import one, state_after

from rootless.build.arguments import BuildArguments
from rootless.build.history import created_by
from rootless.build.state import expanded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ENV A=$B  C='d'", "/bin/sh -c #(nop) ENV A=$B  C='d'"),
        ("CMD []", "/bin/sh -c #(nop) CMD []"),
        ("ARG A=secret B", "/bin/sh -c #(nop) ARG A B"),
        ("RUN a   b", "/bin/sh -c a   b"),
        ('RUN ["a", "b c"]', "a b c"),
        ("RUN <<E\na\nE", "/bin/sh -c a\n"),
        ("ONBUILD RUN a \\\n b", "/bin/sh -c #(nop) ONBUILD RUN a  b"),
    ],
)
def test_words(text: str, words: str) -> None:
    """Metadata says that nothing ran; a value that ARG has is not told."""
    assert created_by(state_after(""), one(text)) == words


def test_a_run_tells_its_arguments() -> None:
    """As the others do: how many, sorted, with the values that it had; proxies are not told."""
    given = BuildArguments({"B": "given", "http_proxy": "p"})
    state = state_after('ARG Z=1 A=2 B NONE\nENV A=over\nSHELL ["/bin/bash", "-c"]', given)
    assert created_by(state, one("RUN a")) == "|3 A=over B=given Z=1 /bin/bash -c a"


def test_a_copy_tells_its_content() -> None:
    """What was read stands for the sources."""
    state = state_after("ENV D=/dir")
    step = expanded(state, one("COPY a b $D/"))
    words = "/bin/sh -c #(nop) COPY multi:0123 in /dir/ "
    assert created_by(state, step, "multi:0123") == words
