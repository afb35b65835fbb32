"""The `hooks` object of config.json (runtime-spec config.md, "POSIX-platform Hooks")."""

from dataclasses import dataclass, fields
from typing import Any

from rootless.oci.document import Node


@dataclass(frozen=True, slots=True)
class Hook:
    """A program that is run at one point of a container's life, with the state on its stdin.

    Attributes:
        path: Absolute path of the program; not looked up on any PATH.
        args: Its whole argument list, as execv(3) has it; empty is the path alone.
        env: Its whole environment.
        timeout: Seconds until it is killed; None waits for ever.
    """

    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object."""
        document: dict[str, Any] = {"path": self.path}
        if self.args:
            document["args"] = list(self.args)
        if self.env:
            document["env"] = list(self.env)
        if self.timeout is not None:
            document["timeout"] = self.timeout
        return document


@dataclass(frozen=True, slots=True)
class Hooks:
    """The six lists, in the order of a container's life; each is run in the order given.

    Attributes:
        prestart: Deprecated; as create_runtime, and before it.
        create_runtime: The environment is made, not yet pivoted into; in the runtime's namespaces.
        create_container: At the same time, in the container's namespaces.
        start_container: Before the process starts, in the container's namespaces.
        poststart: After it has started, in the runtime's namespaces.
        poststop: After the container is deleted, in the runtime's namespaces.
    """

    prestart: tuple[Hook, ...] = ()
    create_runtime: tuple[Hook, ...] = ()
    create_container: tuple[Hook, ...] = ()
    start_container: tuple[Hook, ...] = ()
    poststart: tuple[Hook, ...] = ()
    poststop: tuple[Hook, ...] = ()

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object, without the lists that are empty."""
        lists = {_member(field.name): getattr(self, field.name) for field in fields(self)}
        return {
            name: [hook.to_document() for hook in found] for name, found in lists.items() if found
        }


def parse_hooks(document: Node) -> Hooks:
    """Read the `hooks` object; raises InvalidInput naming the member."""
    return Hooks(
        *(
            tuple(_parse_hook(item) for item in document.members(_member(field.name)))
            for field in fields(Hooks)
        )
    )


def _member(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


def _parse_hook(item: Node) -> Hook:
    path = item.require_text("path")
    if not path.startswith("/"):
        raise item.require("path").fault("must be an absolute path")
    for variable in item.members("env"):
        if "=" not in variable.as_text():
            raise variable.fault("must have the form NAME=VALUE")
    timeout = item.get("timeout")
    if timeout is not None and timeout.as_integer() < 1:
        raise timeout.fault("must be greater than zero")
    return Hook(
        path,
        item.texts("args"),
        item.texts("env"),
        None if timeout is None else timeout.as_integer(),
    )
