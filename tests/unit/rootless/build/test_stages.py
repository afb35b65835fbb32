"""`rootless.build.stages`: what has to be built, and with which values."""

import pytest
from containerfiles import parsed, planned

from rootless.build.stages import Plan, plan, with_triggers
from rootless.errors import BuildError

FILE = """\
FROM debian AS build
RUN make
FROM busybox AS tools
FROM build AS test
COPY --from=tools /bin/x /bin/
RUN --mount=type=bind,from=alpine,target=/a test
FROM scratch AS final
COPY --from=0 /out /
COPY --from=docker.io/library/nginx /n /
"""


@pytest.mark.parametrize(
    ("target", "stages", "images"),
    [
        ("", [0, 3], ("debian", "docker.io/library/nginx")),
        ("final", [0, 3], ("debian", "docker.io/library/nginx")),
        ("test", [0, 1, 2], ("debian", "busybox", "alpine")),
        ("TEST", [0, 1, 2], ("debian", "busybox", "alpine")),
        ("2", [0, 1, 2], ("debian", "busybox", "alpine")),
        ("build", [0], ("debian",)),
    ],
)
def test_only_what_the_target_needs(
    target: str, stages: list[int], images: tuple[str, ...]
) -> None:
    """Stages that nothing asks for are not built, and their images not read."""
    made = planned(FILE, target)
    assert [stage.index for stage in made.stages] == stages
    assert made.target is made.stages[-1]
    assert made.images == images
    assert len(made.file) == 4


def test_a_stage() -> None:
    """Base, needs and instructions; scratch is no image."""
    build, _, test, final = planned(FILE).file
    assert (build.base, build.base_stage, build.needs) == ("debian", None, frozenset())
    assert (test.base, test.base_stage, test.needs) == ("", 0, frozenset({0, 1}))
    assert (final.base, final.base_stage, final.needs) == ("", None, frozenset({0}))
    assert [each.keyword for each in test.instructions] == ["COPY", "RUN"]


def test_what_from_means() -> None:
    """`--from` is a stage by name or number, or an image."""
    made = planned(FILE)
    assert [made.source(each) for each in ("Tools", "1", "nginx")] == [1, 1, "nginx"]


@pytest.mark.parametrize(
    ("text", "given", "base"),
    [
        ("ARG V=1\nFROM a:$V", {}, "a:1"),
        ("ARG V=1\nFROM a:${V}", {"V": "2"}, "a:2"),
        ("ARG V\nFROM a:${V:-3}", {}, "a:3"),
        ("ARG A=x B=${A}y\nARG C=$B\nFROM $C", {}, "xy"),
        ("ARG A=x\nARG B=$A\nFROM $B", {"A": "z"}, "z"),
        ("ARG A='x'\nFROM \"$A\"", {}, "x"),
        ("FROM a-$TARGETARCH", {}, "a-amd64"),
        ("FROM a-$TARGETARCH", {"TARGETARCH": "arm"}, "a-arm"),
        ("FROM scratch", {}, ""),
        ("ARG S=scratch\nFROM $S", {}, ""),
    ],
)
def test_arguments_before_from(text: str, given: dict[str, str], base: str) -> None:
    """Those before the first FROM are for FROM: defaults, what is given, the platform's."""
    made = plan(parsed(text), "", given, {"TARGETARCH": "amd64"})
    assert made.target.base == base


def test_values_for_the_stages() -> None:
    """A stage's own ARG finds what is given, and what stood before FROM."""
    made = plan(parsed("ARG A=1\nFROM $A\nARG B=2"), "", {"B": "3"}, {"TARGETOS": "linux"})
    assert made.arguments.given == {"B": "3"}
    assert made.arguments.outer == {"A": "1", "TARGETOS": "linux"}


def test_platform() -> None:
    """`--platform` may have a variable."""
    made = plan(parsed("FROM --platform=$BUILDPLATFORM a"), "", {}, {"BUILDPLATFORM": "linux/arm"})
    assert made.target.platform == "linux/arm"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("RUN a\nFROM b", ":1: RUN before FROM: RUN a (only ARG can be there)"),
        ("ARG A", ":1: nothing to build (there is no FROM IMAGE)"),
        ("FROM a b", ":1: too much after FROM: b (FROM IMAGE [AS NAME])"),
        ("FROM a TO b", ":1: too much after FROM: TO b (FROM IMAGE [AS NAME])"),
        ("FROM a AS 1b", ":1: not a name of a stage: 1b (a letter, then letters, digits, _ . -)"),
        ("FROM a AS $b", ":1: not a name of a stage: $b (a letter, then"),
        ("FROM a AS b\nFROM c AS B", ":2: two stages have one name, the other in line 1: b (names"),
        (
            "FROM $A",
            ":1: FROM an empty name: $A (ARG before the first FROM declares it; --build-arg A=",
        ),
        ("FROM 'a", ":1: a closing ' is missing: 'a"),
        ("FROM ${A:?no}", ":1: no: A (--build-arg A=…)"),
        ("ARG A=${\nFROM a", ":1: a } is missing: ${"),
        ("FROM a\nEXPOSE http", ":2: not a port to expose: http (PORT[-PORT]"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """One line with the place, before anything is built."""
    with pytest.raises(BuildError) as caught:
        planned(text)
    assert f"Containerfile{says}" in str(caught.value)


def test_an_unknown_target() -> None:
    """It names the stages that there are."""
    with pytest.raises(BuildError, match=r"^Containerfile: no such stage: x .there are a, 1."):
        planned("FROM b AS a\nFROM c", "x")


def words(made: Plan) -> list[list[str]]:
    """Return the first word of each instruction, by stage."""
    return [[each.words[0] for each in stage.instructions] for stage in made.file]


def test_what_a_stage_puts_off_comes_first_in_the_next() -> None:
    """A stage's ONBUILD is for the stages that go on from it, and no further."""
    text = "FROM img AS a\nONBUILD RUN two\nRUN one\nFROM a\nRUN three\nFROM x\nFROM a\n"
    made = planned(text)
    assert words(made) == [["RUN two", "one"], ["two", "three"], [], ["two"]]
    assert made.file[1].instructions[0].file == "ONBUILD of a"


def test_what_an_image_puts_off_comes_first() -> None:
    """Only in the stages that begin with it."""
    text = "FROM img AS a\nONBUILD RUN two\nRUN one\nFROM a AS b\nRUN three\nFROM other\nRUN four"
    made = with_triggers(planned(text), {"img": ["RUN zero"], "none": ["RUN never"]})
    assert words(made) == [["zero", "RUN two", "one"], ["two", "three"], ["four"]]
    assert made.file[0].instructions[0].file == "ONBUILD of img"
    assert made.target.index == 2


def test_a_trigger_may_need_more() -> None:
    """It may read from a stage that nothing else needs, or an image; not from a later stage."""
    text = "FROM x AS extra\nFROM img\n"
    before = planned(text)
    assert [stage.index for stage in before.stages] == [1]
    after = with_triggers(before, {"img": ["COPY --from=extra a b", "COPY --from=more a b"]})
    assert [stage.index for stage in after.stages] == [0, 1]
    assert after.images == ("x", "img", "more")
    assert after.target.needs == {0}
    with pytest.raises(BuildError, match=r"^ONBUILD of x:1: this stage comes later: 1"):
        with_triggers(before, {"x": ["COPY --from=1 a b"]})
