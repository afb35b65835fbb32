"""`rootless.image.config_changes`: each instruction, in each form that it is written in."""

import pytest

from rootless.errors import InvalidInput
from rootless.image.config_changes import changed

BASE = {
    "Cmd": ["old"],
    "Env": ["PATH=/bin", "A=0"],
    "WorkingDir": "/srv",
    "Labels": {"k": "v"},
    "ExposedPorts": {"1/tcp": {}},
}


@pytest.mark.parametrize(
    ("instruction", "key", "value"),
    [
        ('CMD ["a", "b c"]', "Cmd", ["a", "b c"]),
        ("CMD=/bin/bash", "Cmd", ["/bin/sh", "-c", "/bin/bash"]),
        ("cmd [ -f x ] && y", "Cmd", ["/bin/sh", "-c", "[ -f x ] && y"]),
        ('ENTRYPOINT ["/e"]', "Entrypoint", ["/e"]),
        ("ENV A=1 B='2 3'", "Env", ["PATH=/bin", "A=1", "B=2 3"]),
        ("ENV=A=1", "Env", ["PATH=/bin", "A=1"]),
        ("ENV A the rest", "Env", ["PATH=/bin", "A=the rest"]),
        (
            "EXPOSE 80 90-91/udp",
            "ExposedPorts",
            {"1/tcp": {}, "80/tcp": {}, "90/udp": {}, "91/udp": {}},
        ),
        ("LABEL x=y", "Labels", {"k": "v", "x": "y"}),
        ("LABEL blue = image", "Labels", {"k": "v", "blue": "= image"}),
        ("ONBUILD RUN true", "OnBuild", ["RUN true"]),
        ("STOPSIGNAL usr1", "StopSignal", "SIGUSR1"),
        ("STOPSIGNAL 9", "StopSignal", "9"),
        ("STOPSIGNAL SIGRTMIN+3", "StopSignal", "SIGRTMIN+3"),
        ("USER 1000:100", "User", "1000:100"),
        ('VOLUME ["/a", "/b"]', "Volumes", {"/a": {}, "/b": {}}),
        ("VOLUME /a /b", "Volumes", {"/a": {}, "/b": {}}),
        ("WORKDIR sub/../x", "WorkingDir", "/srv/x"),
        ("WORKDIR /abs", "WorkingDir", "/abs"),
        ("WORKDIR //a/../../b/", "WorkingDir", "/b"),
    ],
)
def test_sets_its_member(instruction: str, key: str, value: object) -> None:
    """An instruction sets its member of the config, and leaves every other one."""
    made = changed(BASE, instruction)
    assert made == {**BASE, key: value}
    assert BASE["Cmd"] == ["old"]


@pytest.mark.parametrize(
    ("instruction", "says"),
    [
        ("RUN true", "one of CMD, ENTRYPOINT"),
        ("CMD", "INSTRUCTION VALUE"),
        ("", "INSTRUCTION VALUE"),
        ("CMD [1]", "array of strings"),
        ("ENV =x", "NAME=VALUE"),
        ("ENV A='x", "No closing quotation"),
        ("LABEL a=b c", "NAME=VALUE"),
        ("EXPOSE 0", "not a port"),
        ("EXPOSE 70000", "not a port"),
        ("EXPOSE 9-8", "not a port"),
        ("EXPOSE http", "not a port"),
        ("STOPSIGNAL SIGNONE", "no such signal"),
        ("STOPSIGNAL 65", "no such signal"),
        ("USER a\udcff", "not valid UTF-8"),
    ],
)
def test_refuses(instruction: str, says: str) -> None:
    """What is none is named, with what there is."""
    with pytest.raises(InvalidInput, match=says):
        changed(BASE, instruction)
