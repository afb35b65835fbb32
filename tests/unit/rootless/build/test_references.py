"""`rootless.build.references`: which stages read from which, and never in a circle."""

import pytest
from containerfiles import one, planned
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.build.references import number_of, references
from rootless.build.stages import Plan
from rootless.errors import BuildError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("COPY --from=a b c", ["a"]),
        ("COPY b c", []),
        ("RUN --mount=type=bind,from=a,target=/x --mount=from=b,target=/y c", ["a", "b"]),
        ('RUN --mount=type=cache,"from=a",target=/x --mount=type=tmpfs,target=/y c', ["a"]),
        ("RUN --mount=type=cache,From=a,target=/x c", ["a"]),
        ("RUN echo --from=a", []),
    ],
)
def test_references(text: str, found: list[str]) -> None:
    """COPY says it in a flag, RUN in each mount."""
    assert list(references(one(text))) == found


def test_a_reference_has_no_variables() -> None:
    """What is needed must be known before anything is built."""
    with pytest.raises(
        BuildError, match=r"^Containerfile:2: no variable can say .*FROM \$IMAGE AS"
    ):
        list(references(one("COPY --from=$A b c")))


def test_number_of() -> None:
    """A stage's name in any case, a number, or else an image."""
    names = {"a": 0, "b": 1}
    assert [number_of(each, names) for each in ("B", "0", "7", "c", "1x")] == [1, 0, 7, None, None]
    assert number_of("9" * 5000, names) == 999_999_999


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("FROM b AS a\nFROM a AS b", ":1: stages need each other in a circle: a needs b needs a"),
        (
            "FROM x AS a\nCOPY --from=c b b\nFROM a AS b\nFROM b AS c",
            ":2: stages need each other in a circle: a needs c needs b needs a",
        ),
        ("FROM x AS a\nCOPY --from=a b b", ":2: a stage cannot read from itself: a"),
        ("FROM x\nCOPY --from=0 b b", ":2: a stage cannot read from itself: 0"),
        (
            "FROM x\nRUN --mount=from=b,target=/x c\nFROM y AS b",
            ":2: this stage comes later: b (it begins in line 3: move it before this one)",
        ),
        (
            "FROM x\nFROM y\nCOPY --from=2 b b",
            ":3: no such stage: 2 (they are numbered from 0 to 1)",
        ),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """A circle names its stages, a later stage its line."""
    with pytest.raises(BuildError) as caught:
        planned(text)
    assert str(caught.value) == f"Containerfile{says}"


def test_an_image_may_have_the_name_of_a_later_stage() -> None:
    """`FROM debian` is an image before a stage is called so."""
    text = "FROM debian AS build\nFROM debian AS debian\nCOPY --from=build a b\n"
    made = planned(text)
    assert [stage.base for stage in made.file] == ["debian", "debian"]
    assert planned("FROM b AS a\nFROM x AS b").file[0].base == "b"
    assert planned("FROM a AS a").file[0].base == "a"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=6))
def test_only_what_comes_before_is_needed(edges: list[tuple[int, int]]) -> None:
    """Any stages: refused, or each has what it needs before it."""
    text = "".join(
        f"FROM s{base} AS s{number}\nCOPY --from=s{source} a b\n"
        for number, (base, source) in enumerate(edges)
    )
    forward = any(number <= source < len(edges) for number, (_, source) in enumerate(edges))
    try:
        made = planned(text)
    except BuildError as error:
        said = str(error)
    else:
        said = ""
        _assert_in_order(made)
    assert any(word in said for word in ("later", "itself", "circle")) == bool(said)
    assert said or not forward


def _assert_in_order(made: Plan) -> None:
    done: set[int] = set()
    for stage in made.stages:
        assert stage.needs <= done
        done.add(stage.index)
