"""`rootless.build.state`: what each instruction makes of a config."""

import copy
from typing import Any

import pytest
from containerfiles import PLATFORM, TIME, one, state_after
from hypothesis import given, settings
from hypothesis import strategies as st

from rootless.build.arguments import BuildArguments
from rootless.build.containerfile import Heredoc, parse_triggers
from rootless.build.state import (
    DEFAULT_PATH,
    StageState,
    apply,
    expanded,
    from_base,
    onbuild_triggers,
    scratch,
    with_layer,
)
from rootless.errors import BuildError
from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest

PATH = f"PATH={DEFAULT_PATH}"
DIGEST = Digest("sha256:" + "0" * 64)
BASE = {
    "architecture": "amd64",
    "os": "linux",
    "container": "x",
    "rootfs": {"type": "layers", "diff_ids": []},
    "history": [{"created_by": "base"}],
    "config": {
        "Env": ["PATH=/bin", "A=base"],
        "Cmd": ["base"],
        "WorkingDir": "/srv",
        "User": "app",
        "Labels": {"k": "v"},
        "ExposedPorts": {"1/tcp": {}},
        "Volumes": {"/old": {}},
        "OnBuild": ["RUN a"],
    },
}


@pytest.mark.parametrize(
    ("text", "member", "value"),
    [
        ("ENV A=1 B='2 3' C=\"4\"", "Env", [PATH, "A=1", "B=2 3", "C=4"]),
        ("ENV A the rest  'of' it", "Env", [PATH, "A=the rest  of it"]),
        ("ENV A=hello\nENV A=bye D=$A\nENV G=$A", "Env", [PATH, "A=bye", "D=hello", "G=bye"]),
        ("ENV A=a\\ b C=\\$A D='$A' E=\"$A\"", "Env", [PATH, "A=a b", "C=$A", "D=$A", "E="]),
        ("ENV PATH=/x:$PATH", "Env", [f"PATH=/x:{DEFAULT_PATH}"]),
        ("ENV A= B=", "Env", [PATH, "A=", "B="]),
        ("ARG V=1\nENV A=$V", "Env", [PATH, "A=1"]),
        ("ENV V=2\nARG V=1\nENV A=$V", "Env", [PATH, "V=2", "A=2"]),
        ("# escape=`\nENV A=C:\\x", "Env", [PATH, "A=C:x"]),
        ("LABEL a=1 'b c'=\"d e\" f=\\\n2", "Labels", {"a": "1", "b c": "d e", "f": "2"}),
        ("LABEL a one two", "Labels", {"a": "one two"}),
        ("LABEL a=1\nLABEL a=2 b=3", "Labels", {"a": "2", "b": "3"}),
        ("ENV X=k\nLABEL $X=$X", "Labels", {"k": "k"}),
        ("WORKDIR a\nWORKDIR b/../c/", "WorkingDir", "/a/c"),
        ("WORKDIR /a\nWORKDIR ../../..", "WorkingDir", "/"),
        ("WORKDIR //a", "WorkingDir", "/a"),
        ("ENV D=/d\nWORKDIR $D/$NONE", "WorkingDir", "/d"),
        ('WORKDIR "/a b"', "WorkingDir", "/a b"),
        ("ARG U=1:2\nUSER $U", "User", "1:2"),
        ('CMD ["a", "$B"]', "Cmd", ["a", "$B"]),
        ("CMD a  $B", "Cmd", ["/bin/sh", "-c", "a  $B"]),
        ('SHELL ["/bin/bash", "-c"]\nCMD a', "Cmd", ["/bin/bash", "-c", "a"]),
        ('SHELL ["/x", "-c"]', "Shell", ["/x", "-c"]),
        ("ENTRYPOINT a", "Entrypoint", ["/bin/sh", "-c", "a"]),
        ('ENTRYPOINT ["a"]\nENTRYPOINT []', "Entrypoint", None),
        ("EXPOSE 80 90-91/udp 7/TCP", "ExposedPorts",
         {"80/tcp": {}, "90/udp": {}, "91/udp": {}, "7/tcp": {}}),
        ('ENV P="1 2"\nEXPOSE $P', "ExposedPorts", {"1/tcp": {}, "2/tcp": {}}),
        ("ARG P=1\nEXPOSE $P/udp $NONE", "ExposedPorts", {"1/udp": {}}),
        ('VOLUME /a /b\nVOLUME ["/c d"]', "Volumes", {"/a": {}, "/b": {}, "/c d": {}}),
        ('ENV V=/v\nVOLUME ["$V"]', "Volumes", {"/v": {}}),
        ("STOPSIGNAL usr1", "StopSignal", "SIGUSR1"),
        ("STOPSIGNAL 9", "StopSignal", "9"),
        ("ENV S=SIGTERM\nSTOPSIGNAL $S", "StopSignal", "SIGTERM"),
        ("HEALTHCHECK CMD a $B", "Healthcheck", {"Test": ["CMD-SHELL", "a $B"]}),
        ("HEALTHCHECK CMD a\nHEALTHCHECK NONE", "Healthcheck", {"Test": ["NONE"]}),
        ("ONBUILD RUN a $B\nONBUILD COPY . /", "OnBuild", ["RUN a $B", "COPY . /"]),
    ],
)  # fmt: skip
def test_members(text: str, member: str, value: Any) -> None:
    """Each instruction sets its member, from the variables that are there before it."""
    if text.startswith("# escape"):
        text = text.split("\n", 1)[1]
    assert state_after(text).process.get(member) == value


def test_maintainer_is_the_author() -> None:
    """Of the image, and of the steps from there on."""
    state = state_after("ENV A=1\nMAINTAINER Me  <me@x>\nENV B=1")
    assert state.config["author"] == "Me  <me@x>"
    assert [each.get("author") for each in state.config["history"]] == [
        None,
        "Me  <me@x>",
        "Me  <me@x>",
    ]


@pytest.mark.parametrize(
    ("text", "cmd"),
    [
        ('ENTRYPOINT ["e"]', None),
        ('ENTRYPOINT ["e"]\nCMD ["c"]', ["c"]),
        ('CMD ["c"]\nENTRYPOINT ["e"]', ["c"]),
        ("ENV A=1", ["base"]),
        ("CMD []", None),
    ],
)  # fmt: skip
def test_an_entrypoint_takes_the_cmd_of_the_image(text: str, cmd: list[str] | None) -> None:
    """The CMD of the image below was meant for another ENTRYPOINT; the stage's own stays."""
    assert state_after(text, base=from_base(BASE, ())).process.get("Cmd") == cmd


def test_goes_on_from_an_image() -> None:
    """All of its config but what ONBUILD put off, and notes on a container; it is not changed."""
    before = copy.deepcopy(BASE)
    state = state_after(
        "ENV A=2\nWORKDIR x\nLABEL l=m\nEXPOSE 2\nVOLUME /new", base=from_base(BASE, (DIGEST,))
    )
    assert before == BASE
    assert state.diff_ids == (DIGEST,)
    assert state.process == {
        "Env": ["PATH=/bin", "A=2"],
        "Cmd": ["base"],
        "WorkingDir": "/srv/x",
        "User": "app",
        "Labels": {"k": "v", "l": "m"},
        "ExposedPorts": {"1/tcp": {}, "2/tcp": {}},
        "Volumes": {"/old": {}, "/new": {}},
    }
    assert set(state.config) == {"architecture", "os", "config", "history", "created"}
    assert len(state.config["history"]) == 6
    assert (state.user, state.workdir) == ("app", "/srv/x")


def test_an_image_with_little_in_it() -> None:
    """Documents with nulls and without members are usual."""
    empty = from_base({"config": None, "history": None}, ())
    assert (empty.env, empty.user, empty.workdir, empty.shell) == ({}, "", "/", ("/bin/sh", "-c"))
    nulls = {"Env": None, "Labels": None, "Volumes": None, "ExposedPorts": None, "OnBuild": None}
    state = state_after(
        "ENV A=1\nLABEL a=b\nVOLUME /v\nEXPOSE 1", base=from_base({"config": nulls}, ())
    )
    assert state.env == {"A": "1"}
    assert onbuild_triggers({"config": nulls}) == ()
    assert onbuild_triggers({}) == ()


def test_triggers_of_an_image() -> None:
    """Its ONBUILD instructions as instructions."""
    (found,) = parse_triggers(onbuild_triggers(BASE), "img")
    assert (found.keyword, found.words, found.file) == ("RUN", ("a",), "ONBUILD of img")


def test_scratch() -> None:
    """Nothing but the platform and a PATH, as the others have it."""
    state = scratch(Platform("linux", "arm", "v7"))
    assert state.config == {
        "architecture": "arm",
        "os": "linux",
        "variant": "v7",
        "config": {"Env": [PATH]},
        "history": [],
    }
    assert "variant" not in scratch(PLATFORM).config


@pytest.mark.parametrize(
    ("text", "given", "args"),
    [
        ("ARG A", {}, {}),
        ("ARG A", {"A": "g"}, {"A": "g"}),
        ("ARG A=d", {}, {"A": "d"}),
        ("ARG A=d", {"A": "g"}, {"A": "g"}),
        ("ARG A=", {}, {"A": ""}),
        ("ARG O", {}, {"O": "outer"}),
        ("ARG O=own", {}, {"O": "own"}),
        ("ARG A=1 B=$A", {}, {"A": "1", "B": ""}),
        ("ARG A=1\nARG B=$A", {}, {"A": "1", "B": "1"}),
        ("ARG A=1\nARG A", {}, {"A": "1"}),
        ("ENV E=e\nARG A='$E' B=\"$E\"", {}, {"A": "$E", "B": "e"}),
        ("ENV A=1", {"A": "g"}, {}),
    ],
)
def test_arg(text: str, given: dict[str, str], args: dict[str, str]) -> None:
    """What is given, else the default, else what stood before FROM; kept out of the config."""
    state = state_after(text, BuildArguments(given, {"O": "outer"}))
    assert state.args == args
    assert not any(each.startswith("A=g") for each in state.process["Env"])


def test_a_child_has_the_arguments_of_its_stage() -> None:
    """A stage that goes on from another one sees its ARGs, as the reference has it."""
    parent = state_after("ARG A=1 B=2")
    child = from_base(parent.config, parent.diff_ids, parent.arguments, parent.args)
    assert state_after("ARG A\nARG B=3\nENV C=$A$B", base=child).env["C"] == "13"


def test_what_a_run_sees() -> None:
    """ENV hides an ARG of its name, and both what is predefined."""
    given = BuildArguments({"http_proxy": "p", "https_proxy": "p", "A": "arg", "B": "arg"})
    state = state_after("ARG A\nARG B\nENV B=env https_proxy=env", given)
    variables = state.run_variables
    assert (variables["A"], variables["B"]) == ("arg", "env")
    assert (variables["http_proxy"], variables["https_proxy"]) == ("p", "env")


def test_history() -> None:
    """Each step has an entry; without a layer it says so."""
    state = state_after("ENV A=1")
    state = with_layer(state, DIGEST, "/bin/sh -c make", TIME)
    assert state.diff_ids == (DIGEST,)
    assert state.config["created"] == "2001-02-03T04:05:06Z"
    assert state.config["history"] == [
        {
            "created": "2001-02-03T04:05:06Z",
            "created_by": "/bin/sh -c #(nop) ENV A=1",
            "empty_layer": True,
        },
        {"created": "2001-02-03T04:05:06Z", "created_by": "/bin/sh -c make"},
    ]


def test_copy_is_expanded() -> None:
    """Words, flags but `from`, and here-documents whose word is not quoted."""
    state = state_after("ENV U=1:2 D=/d X='a b'")
    made = expanded(
        state, one("COPY --from=x --chown=$U <<a <<'b' $X $D/\n$U \"q\" \\$U\na\n$U\nb")
    )
    assert made.flags == (("from", "x"), ("chown", "1:2"))
    assert made.sources == (
        Heredoc("a", '1:2 "q" $U\n', True, 0),
        Heredoc("b", "$U\n", False, 1),
        "a b",
    )
    assert made.destination == "/d/"
    assert expanded(state, one('COPY ["$X", "$D"]')).words == ("a b", "/d")


def test_run_is_expanded_in_its_flags() -> None:
    """The words of RUN are the shell's."""
    made = expanded(state_after("ARG T=/t"), one("RUN --mount=type=cache,target=$T echo $T '"))
    assert made.flags == (("mount", "type=cache,target=/t"),)
    assert made.words == ("echo $T '",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("EXPOSE 70000", "not a port to expose: 70000 (PORT[-PORT][/tcp|udp|sctp])"),
        ("STOPSIGNAL NONE", "no such signal: NONE"),
        ("ENV A='x", "a closing ' is missing: 'x"),
        ("ENV ''=x", "ENV with an empty name: ENV ''=x"),
        ("LABEL $NONE=x", "LABEL with an empty name"),
        ("ARG =x", "ARG with an empty name: =x"),
        ("STOPSIGNAL $NONE", "STOPSIGNAL with an empty name: $NONE"),
        ("USER $NONE", "USER with an empty name: $NONE"),
        ("WORKDIR $NONE", "WORKDIR with an empty name: $NONE"),
        ("VOLUME $NONE /a", "VOLUME with an empty name: VOLUME $NONE /a"),
        ('ENV A="${B:?is needed}"', "is needed: B (--build-arg B=…)"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes nothing more: x"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """With the place, and what to do."""
    with pytest.raises(BuildError) as caught:
        apply(scratch(PLATFORM), one(text))
    assert f"Containerfile:2: {says}" in str(caught.value)


def test_a_copy_that_cannot_be_read() -> None:
    """A quote that does not end is told with the place."""
    with pytest.raises(BuildError, match=r"^Containerfile:2: a closing \" is missing: \"a"):
        expanded(scratch(PLATFORM), one('COPY "a b'))


NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,4}", fullmatch=True)
VALUES = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_any_value_can_be_set(pairs: dict[str, str]) -> None:
    """In single quotes a value is itself, in ENV and in LABEL."""
    words = " ".join(f"{name}='" + text.replace("'", "'\\''") + "'" for name, text in pairs.items())
    state: StageState = state_after(f"ENV {words}\nLABEL {words}")
    assert {name: state.env[name] for name in pairs} == pairs
    assert state.process["Labels"] == pairs
