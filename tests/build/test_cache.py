"""What a build does again, and what it takes from the one before.

Most files here begin with `scratch`: a COPY makes a layer as a RUN does, and starts nothing.
"""

import json
import re
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

Steps = dict[str, str]
"""How each step that was told ended, by its instruction."""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A context with a few files."""
    folder = tmp_path / "context"
    (folder / "sub").mkdir(parents=True)
    for name in ("a", "b", "sub/c"):
        (folder / name).write_text(f"{name}\n")
    return folder


def build(rootless: Rootless, context: Path, text: str, *options: str) -> tuple[str, Steps]:
    """Build; return the image's ID and how each step ended."""
    result = rootless("build", *options, "-f", "-", context, stdin=text)
    assert result.status == 0, result.stderr
    begun = dict(re.findall(r"^#(\d+) \[[^]]+\] (.*)$", result.stderr, re.MULTILINE))
    ended = dict(re.findall(r"^#(\d+) (DONE|CACHED)", result.stderr, re.MULTILINE))
    assert begun.keys() == ended.keys()
    steps = {begun[number]: word for number, word in ended.items()}
    return result.stdout.strip(), {text: w for text, w in steps.items() if text[:4] != "FROM"}


_TEXT = "FROM scratch\nCOPY a /a\nENV V=1\nCOPY sub /sub\nWORKDIR /w\n"


def test_the_same_again(rootless: Rootless, context: Path) -> None:
    """The same file over the same files is found whole, and gives the same image."""
    first, steps = build(rootless, context, _TEXT)
    assert steps == {"COPY a /a": "DONE", "COPY sub /sub": "DONE", "WORKDIR /w": "DONE"}
    again, steps = build(rootless, context, _TEXT)
    assert steps == {"COPY a /a": "CACHED", "COPY sub /sub": "CACHED", "WORKDIR /w": "CACHED"}
    assert again == first


def test_what_counts_of_a_file(rootless: Rootless, context: Path) -> None:
    """Contents and permissions of what is copied count, times and the other files do not."""
    build(rootless, context, _TEXT)
    (context / "b").write_text("changed\n")
    (context / "sub/c").write_text("sub/c\n")
    assert set(build(rootless, context, _TEXT)[1].values()) == {"CACHED"}
    (context / "sub/c").write_text("new\n")
    steps = build(rootless, context, _TEXT)[1]
    assert steps == {"COPY a /a": "CACHED", "COPY sub /sub": "DONE", "WORKDIR /w": "DONE"}
    (context / "a").chmod(0o755)
    assert set(build(rootless, context, _TEXT)[1].values()) == {"DONE"}


def test_what_counts_of_the_config(rootless: Rootless, context: Path) -> None:
    """A COPY does not look at variables and labels, but at where it goes."""
    build(rootless, context, _TEXT)
    changed = _TEXT.replace("ENV V=1", "ENV V=2\nLABEL l=1\nCMD x")
    first, steps = build(rootless, context, changed)
    assert steps["COPY sub /sub"] == "CACHED"
    assert build(rootless, context, changed)[0] == first
    steps = build(rootless, context, _TEXT.replace("ENV V=1", "WORKDIR /x"))[1]
    assert steps["COPY sub /sub"] == "DONE"  # on another layer
    before = "FROM scratch\nENV D=/to\nCOPY a $D/\n"
    assert build(rootless, context, before)[1] == {"COPY a $D/": "DONE"}
    assert build(rootless, context, before)[1] == {"COPY a $D/": "CACHED"}
    assert build(rootless, context, before.replace("/to", "/by"))[1] == {"COPY a $D/": "DONE"}


def test_no_cache(rootless: Rootless, context: Path) -> None:
    """--no-cache does every step, and the next build finds what came of that."""
    build(rootless, context, _TEXT)
    done, steps = build(rootless, context, _TEXT, "--no-cache")
    assert set(steps.values()) == {"DONE"}
    again, steps = build(rootless, context, _TEXT)
    assert set(steps.values()) == {"CACHED"}
    assert again == done


def test_from_another_stage(rootless: Rootless, context: Path) -> None:
    """What another stage came to counts by its contents: another way to the same is the same."""
    text = "FROM scratch AS one\nCOPY {} /x\nFROM scratch\nCOPY --from=one /x /y\n"
    wanted = "COPY --from=one /x /y"
    assert build(rootless, context, text.format("a"))[1][wanted] == "DONE"
    assert build(rootless, context, text.format("a"))[1][wanted] == "CACHED"
    (context / "b").write_text("a\n")
    (context / "b").chmod((context / "a").stat().st_mode)
    steps = build(rootless, context, text.format("b"))[1]
    assert steps == {"COPY b /x": "DONE", wanted: "CACHED"}
    assert build(rootless, context, text.format("sub/c"))[1][wanted] == "DONE"


def test_a_fixed_time(rootless: Rootless, context: Path) -> None:
    """With another latest time the layers are others."""
    build(rootless, context, _TEXT)
    _, steps = build(rootless, context, _TEXT, "--source-date-epoch", "1000000000")
    assert set(steps.values()) == {"DONE"}
    _, steps = build(rootless, context, _TEXT, "--timestamp", "1000000000")
    assert set(steps.values()) == {"CACHED"}


@pytest.mark.both_users
def test_run(builder: Rootless, context: Path) -> None:
    """Of a RUN its words, variables, arguments, user and options count, and no label."""
    text = (
        "FROM debian-demo\nLABEL l=1\nARG A=1\nENV E=1\n"
        "RUN --mount=type=secret,id=s cat /run/secrets/s; echo $A$E > /out\n"
    )
    (context / "s").write_text("one")
    secret = ("--secret", f"id=s,src={context}/s")

    def run(changed: str, *options: str) -> str:
        [word] = build(builder, context, changed, *secret, *options)[1].values()
        return word

    assert run(text) == "DONE"
    (context / "s").write_text("two")  # a secret is none of what an image is made of
    assert run(text) == "CACHED"
    assert run(text.replace("LABEL l=1", "LABEL l=2\nCMD x\nEXPOSE 80")) == "CACHED"
    assert run(text, "--build-arg", "A=2") == "DONE"
    assert run(text.replace("E=1", "E=2")) == "DONE"
    assert run(text, "--network", "none") == "DONE"
    assert run(text) == "CACHED"


def test_prune(rootless: Rootless, context: Path) -> None:
    """What builds keep outlives the image until it is pruned, and is then done again."""
    identity, _ = build(rootless, context, _TEXT)
    rootless.ok("rmi", identity)
    assert set(build(rootless, context, _TEXT)[1].values()) == {"CACHED"}
    rows = json.loads(rootless.ok("system", "df", "--format", "json"))
    [row] = [row for row in rows if row["Type"] == "Build Cache"]
    assert row["Total"] > 3
    rootless.ok("rmi", identity)
    assert "reclaimed" in rootless.ok("builder", "prune", "-f")
    assert set(build(rootless, context, _TEXT)[1].values()) == {"DONE"}
    rootless.ok("image", "prune", "--build-cache", "-f")
    assert set(build(rootless, context, _TEXT)[1].values()) == {"DONE"}
    rootless.ok("builder", "prune", "-f", "--filter", "until=1h")
    rootless.ok("system", "prune", "-f")
    assert set(build(rootless, context, _TEXT)[1].values()) == {"CACHED"}
    rootless.ok("system", "prune", "-af")
    assert set(build(rootless, context, _TEXT)[1].values()) == {"DONE"}


def test_a_layer_that_has_gone(rootless: Rootless, context: Path) -> None:
    """A step whose layer is not there any more is done again."""
    identity, _ = build(rootless, context, _TEXT)
    [details] = json.loads(rootless.ok("inspect", identity))
    lowest = details["RootFS"]["Layers"][0].partition(":")[2]
    (rootless.home.store / "layers/sha256" / f"{lowest}.index").unlink()
    steps = build(rootless, context, _TEXT)[1]
    assert steps["COPY a /a"] == "DONE"


def test_what_is_bound_counts(builder: Rootless, context: Path) -> None:
    """What a RUN sees of the context and of other stages counts, and only where it looks."""
    text = (
        "FROM scratch AS other\nCOPY b /b\n"
        "FROM debian-demo\n"
        "RUN --mount=target=/ctx,source=sub cat /ctx/c >/c\n"
        "RUN --mount=target=/o,from=other cat /o/b >/d\n"
    )
    first, steps = build(builder, context, text)
    assert set(steps.values()) == {"DONE"}
    (context / "a").write_text("changed\n")
    assert set(build(builder, context, text)[1].values()) == {"CACHED"}
    (context / "sub/c").write_text("new\n")
    second, steps = build(builder, context, text)
    assert [steps[each] for each in steps if each.startswith("RUN")] == ["DONE", "DONE"]
    (context / "b").write_text("new\n")
    third, steps = build(builder, context, text)
    assert [steps[each] for each in steps if each.startswith("RUN")] == ["CACHED", "DONE"]
    assert len({first, second, third}) == 3
    assert builder("run", third, "cat", "/c", "/d").stdout == "new\nnew\n"


def test_what_changes_under_a_run(builder: Rootless, context: Path) -> None:
    """A RUN is found again by what was bound when it began, not by what came of that meanwhile."""
    run = "RUN --mount=target=/ctx cat /ctx/a >/c; echo new >/out/a"
    text = f"FROM debian-demo\n{run}\n"
    options = ("-v", f"{context}:/out")
    build(builder, context, text, *options)
    second, steps = build(builder, context, text, *options)
    assert steps == {run: "DONE"}
    assert builder("run", second, "cat", "/c").stdout == "new\n"
