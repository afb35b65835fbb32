"""A stage as it grows: layers, config and arguments, and what an instruction makes of them; pure.

Nothing of a file system is here: RUN, COPY and ADD make layers, and the state is told of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rootless.build.arguments import BuildArguments
from rootless.build.containerfile import Instruction
from rootless.build.expand import expand, expand_words
from rootless.build.health import healthcheck
from rootless.errors import InvalidInput
from rootless.image.config_changes import (
    DEFAULT_SHELL,
    ports,
    signal_name,
    with_variables,
    working_folder,
)
from rootless.oci import timestamp
from rootless.oci.descriptor import Platform
from rootless.oci.digest import Digest

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Docker's own notes on the container that the last layer came from, and what layers there are.
_NOT_KEPT = ("container", "container_config", "id", "parent", "parent_id", "rootfs")


@dataclass(frozen=True, slots=True)
class StageState:
    """What the steps so far have made.

    Attributes:
        diff_ids: The layers, lowest first.
        config: The image's config document, without `rootfs`; never changed, only replaced.
        arguments: What an ARG can find.
        args: The ARGs so far that have a value.
        has_own_cmd: CMD was in this stage, so that ENTRYPOINT leaves it.
    """

    diff_ids: tuple[Digest, ...]
    config: Mapping[str, Any]
    arguments: BuildArguments = field(default_factory=BuildArguments)
    args: Mapping[str, str] = field(default_factory=dict)
    has_own_cmd: bool = False

    @property
    def process(self) -> Mapping[str, Any]:
        """The config's member `config`."""
        found: Mapping[str, Any] = self.config.get("config") or {}
        return found

    @property
    def env(self) -> dict[str, str]:
        """The variables of ENV."""
        pairs = (each.partition("=") for each in self.process.get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def variables(self) -> dict[str, str]:
        """What words are expanded with: an ENV hides an ARG of its name."""
        return {**self.args, **self.env}

    @property
    def run_variables(self) -> dict[str, str]:
        """What a RUN has in its environment."""
        return {**self.arguments.predefined, **self.variables}

    @property
    def user(self) -> str:
        """What USER says; "" for root."""
        return str(self.process.get("User") or "")

    @property
    def workdir(self) -> str:
        """What WORKDIR says so far."""
        return working_folder("/", str(self.process.get("WorkingDir") or "/"))

    @property
    def shell(self) -> tuple[str, ...]:
        """What goes before the shell's form of a command."""
        return tuple(self.process.get("Shell") or DEFAULT_SHELL)

    def with_process(self, **members: Any) -> "StageState":
        """Return it with members of `config` set; one that says nothing is taken out."""
        process = {**self.process, **members}
        process = {key: value for key, value in process.items() if value not in (None, "", [], {})}
        return replace(self, config={**self.config, "config": process})


def scratch(platform: Platform, arguments: BuildArguments | None = None) -> StageState:
    """Return the state of a stage that begins with nothing."""
    variant = {"variant": platform.variant} if platform.variant else {}
    config = {
        "architecture": platform.architecture,
        "os": platform.os,
        **variant,
        "config": {"Env": [f"PATH={DEFAULT_PATH}"]},
        "history": [],
    }
    return StageState((), config, arguments or BuildArguments())


def from_base(
    document: Mapping[str, Any],
    diff_ids: tuple[Digest, ...],
    arguments: BuildArguments | None = None,
    args: Mapping[str, str] | None = None,
) -> StageState:
    """Return the state of a stage that begins with an image, or with another stage.

    Its ONBUILD instructions are not in it: `onbuild_triggers` has them.

    Args:
        document: The image's config.
        diff_ids: Its layers.
        arguments: What an ARG can find.
        args: The ARGs of the stage that it begins with; a child has them, too.
    """
    kept = {key: each for key, each in document.items() if key not in _NOT_KEPT}
    state = StageState(diff_ids, kept, arguments or BuildArguments(), args or {})
    return state.with_process(OnBuild=None)


def onbuild_triggers(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what ONBUILD has put off in an image that has this config."""
    return tuple((document.get("config") or {}).get("OnBuild") or ())


def with_layer(
    state: StageState, diff_id: Digest | None, created_by: str, created: datetime
) -> StageState:
    """Return the state after a step: a history entry more, and a layer more, if it made one."""
    time = timestamp.to_text(created.timestamp())
    author = state.config.get("author")
    entry = {
        "created": time,
        "created_by": created_by,
        **({"author": author} if author else {}),
        **({"empty_layer": True} if diff_id is None else {}),
    }
    history = [*(state.config.get("history") or ()), entry]
    config = {**state.config, "created": time, "history": history}
    layers = state.diff_ids if diff_id is None else (*state.diff_ids, diff_id)
    return replace(state, diff_ids=layers, config=config)


def expanded(state: StageState, instruction: Instruction) -> Instruction:
    """Return COPY, ADD or RUN with variables replaced where they are: the words of RUN are not.

    Raises:
        BuildError: A word cannot be read.
    """
    variables = state.variables

    def one(text: str, *, keep_quotes: bool = False) -> str:
        try:
            escape = "\\" if keep_quotes else instruction.escape
            return expand(text, variables, escape=escape, keep_quotes=keep_quotes)
        except InvalidInput as error:
            form = f'{instruction.keyword} ["SOURCE", "DESTINATION"] takes spaces'
            fix = error.fix or ("" if instruction.keyword == "RUN" else form)
            raise instruction.fault(error.what, error.on, fix) from error

    flags = tuple(
        (name, one(value) if name != "from" else value) for name, value in instruction.flags
    )
    if instruction.keyword == "RUN":
        return replace(instruction, flags=flags)
    return replace(
        instruction,
        flags=flags,
        words=tuple(one(word) for word in instruction.words),
        heredocs=tuple(
            replace(each, content=one(each.content, keep_quotes=True)) if each.expand else each
            for each in instruction.heredocs
        ),
    )


def apply(state: StageState, instruction: Instruction) -> StageState:
    """Return what an instruction makes of the config: every one but FROM, RUN, COPY and ADD.

    Raises:
        BuildError: It says something that no config can hold.
    """
    change = _CHANGES[instruction.keyword]
    with instruction.blamed(InvalidInput):
        return change(state, instruction)


def _one(state: StageState, instruction: Instruction, text: str) -> str:
    return expand(text, state.variables, escape=instruction.escape)


def _named(state: StageState, instruction: Instruction) -> str:
    """Return the only word of an instruction; it says something."""
    word = _one(state, instruction, instruction.words[0])
    if not word:
        raise InvalidInput(f"{instruction.keyword} with an empty name", instruction.words[0])
    return word


def _pairs(state: StageState, instruction: Instruction) -> list[tuple[str, str]]:
    """Return the names and values of ENV or LABEL; none of them sees another."""
    words = [_one(state, instruction, word) for word in instruction.words]
    pairs = list(zip(words[::2], words[1::2], strict=True))
    if any(not name for name, _ in pairs):
        raise InvalidInput(f"{instruction.keyword} with an empty name", instruction.source)
    return pairs


def _arg(state: StageState, instruction: Instruction) -> StageState:
    args = dict(state.args)
    for word in instruction.words:
        name, equals, default = word.partition("=")
        name = _one(state, instruction, name)
        if not name:
            raise InvalidInput("ARG with an empty name", word)
        own = _one(state, instruction, default) if equals else None
        value = state.arguments.value(name, own)
        if value is not None:
            args[name] = value
    return replace(state, args=args)


def _env(state: StageState, instruction: Instruction) -> StageState:
    env = state.process.get("Env") or ()
    return state.with_process(Env=with_variables(env, _pairs(state, instruction)))


def _label(state: StageState, instruction: Instruction) -> StageState:
    labels = state.process.get("Labels") or {}
    return state.with_process(Labels={**labels, **dict(_pairs(state, instruction))})


def _workdir(state: StageState, instruction: Instruction) -> StageState:
    path = _named(state, instruction)
    return state.with_process(WorkingDir=working_folder(state.workdir, path))


def _user(state: StageState, instruction: Instruction) -> StageState:
    return state.with_process(User=_named(state, instruction))


def _command(state: StageState, instruction: Instruction) -> list[str]:
    """Return what CMD or ENTRYPOINT starts; variables in it are those of the shell."""
    before = () if instruction.is_exec_form else state.shell
    return [*before, *instruction.words]


def _cmd(state: StageState, instruction: Instruction) -> StageState:
    made = state.with_process(Cmd=_command(state, instruction))
    return replace(made, has_own_cmd=True)


def _entrypoint(state: StageState, instruction: Instruction) -> StageState:
    """Apply ENTRYPOINT: the CMD of the image below was for another one, and goes."""
    made = state.with_process(Entrypoint=_command(state, instruction))
    return made if state.has_own_cmd else made.with_process(Cmd=None)


def _shell(state: StageState, instruction: Instruction) -> StageState:
    return state.with_process(Shell=list(instruction.words))


def _expose(state: StageState, instruction: Instruction) -> StageState:
    words: list[str] = []
    for word in instruction.words:
        words += expand_words(word, state.variables, escape=instruction.escape)
    return state.with_process(
        ExposedPorts={**(state.process.get("ExposedPorts") or {}), **ports(words)}
    )


def _volume(state: StageState, instruction: Instruction) -> StageState:
    folders = [_one(state, instruction, word) for word in instruction.words]
    if not all(folders):
        raise InvalidInput("VOLUME with an empty name", instruction.source)
    volumes = {**(state.process.get("Volumes") or {}), **{folder: {} for folder in folders}}
    return state.with_process(Volumes=volumes)


def _stop_signal(state: StageState, instruction: Instruction) -> StageState:
    name = _named(state, instruction)
    return state.with_process(StopSignal=signal_name(name))


def _healthcheck(state: StageState, instruction: Instruction) -> StageState:
    return state.with_process(Healthcheck=healthcheck(instruction))


def _onbuild(state: StageState, instruction: Instruction) -> StageState:
    triggers = state.process.get("OnBuild") or ()
    return state.with_process(OnBuild=[*triggers, *instruction.words])


def _maintainer(state: StageState, instruction: Instruction) -> StageState:
    return replace(state, config={**state.config, "author": instruction.words[0]})


_CHANGES: Mapping[str, Callable[[StageState, Instruction], StageState]] = {
    "ARG": _arg,
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "ONBUILD": _onbuild,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
