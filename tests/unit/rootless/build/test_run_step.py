"""What a RUN asks for beside what every RUN of the build has."""

from rootless.build import run_step
from rootless.build.containerfile import Instruction, parse
from rootless.build.furniture import InnerFile
from rootless.build.run_furniture import Asked
from rootless.build.state import apply, scratch
from rootless.bundle.options import RunOptions
from rootless.containers.network.mode import Kind, NetworkMode
from rootless.containers.request import RunRequest
from rootless.oci.descriptor import Platform
from rootless.oci.resources_spec import MemoryLimits, Resources
from rootless.oci.runtime_spec import Mount

STATE = scratch(Platform("linux", "amd64"))


def instructions(*lines: str) -> tuple[Instruction, ...]:
    """Return what stands below a FROM."""
    return parse("\n".join(("FROM a", *lines)).encode(), "Containerfile")[1:]


def test_of_the_step_and_of_the_build() -> None:
    """Its command, variables and mounts; an ENV hides an ARG of its name."""
    env, arg, other, run = instructions("ENV A=env", "ARG A=arg", "ARG B=b", "RUN x")
    state = apply(apply(apply(STATE, env), arg), other)
    request = RunRequest(options=RunOptions(env=("O=o",), mounts=(Mount("/v"),), cap_drop=("ALL",)))
    asked = Asked(mounts=[Mount("/m")])
    made = run_step._request(state, run, ("x",), asked, request).options
    assert (made.entrypoint, made.command, made.cap_drop) == ((), ("x",), ("ALL",))
    assert made.mounts == (Mount("/v"), Mount("/m"))
    assert {"A=env", "B=b", "O=o"} <= set(made.env)
    assert made.env[-1] == "O=o"


def test_network() -> None:
    """That of the build, or none, or the host's."""
    request = RunRequest(network=NetworkMode(Kind.PRIVATE))
    lines = ("RUN x", "RUN --network=none x", "RUN --network=default x", "RUN --network=host x")
    kinds = [
        run_step._request(STATE, each, ("x",), Asked(), request).network.kind
        for each in instructions(*lines)
    ]
    assert kinds == [Kind.PRIVATE, Kind.NONE, Kind.PRIVATE, Kind.HOST]


def test_cgroup() -> None:
    """It is made where something is limited."""
    (run,) = instructions("RUN x")
    limited = RunOptions(resources=Resources(memory=MemoryLimits(limit=1 << 30)))
    for options, expected in ((RunOptions(), False), (limited, True)):
        request = RunRequest(options=options)
        assert run_step._request(STATE, run, ("x",), Asked(), request).cgroup is expected
        request = RunRequest(options=options, cgroup=False)
        assert not run_step._request(STATE, run, ("x",), Asked(), request).cgroup


def test_a_script_is_a_file() -> None:
    """One that names its interpreter is executed; it lies where no layer has it."""
    (run,) = instructions("RUN <<X", "#!/bin/cat", "text", "X")
    asked = Asked()
    assert run_step._args(STATE, run, asked) == ("/dev/pipes/X",)
    assert asked.furniture == [InnerFile("/dev/pipes/X", b"#!/bin/cat\ntext\n", 0o755)]
    (run,) = instructions("RUN echo")
    assert run_step._args(STATE, run, asked) == ("/bin/sh", "-c", "echo")
