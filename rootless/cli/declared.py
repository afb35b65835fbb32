"""The command line's declarations as plain data: what completion and the manual are made of.

The typer commands stay the one place where options are declared. The wheel is built with a copy of
what completion needs (hatch_build.py), so that a press of Tab imports neither typer nor commands.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rootless.cli.examples import epilog_of

if TYPE_CHECKING:  # typer keeps its copy of click private; only the annotations name it
    from typer._click.core import Command, Context, Parameter

FILE = Path(__file__).with_name("declared.json")


@dataclass(frozen=True, slots=True)
class Declared:
    """An option or an argument.

    Attributes:
        parameter: Its name in the code.
        names: `--env`, `-e`; none for an argument.
        metavar: Its value in words; "" for a flag.
        help: One sentence.
        group: The section of the help that it is in.
        many: An argument that takes several words.
    """

    parameter: str
    names: tuple[str, ...]
    metavar: str
    help: str
    group: str = ""
    many: bool = False


@dataclass(frozen=True, slots=True)
class DeclaredCommand:
    """A command.

    Attributes:
        path: Its words: ("store", "gc").
        usage: What follows them in its usage.
        help: Its description, paragraphs parted by empty lines.
        epilog: Examples.
        interspersed: Options may come after arguments.
        options: Its options.
        arguments: Its arguments.
        commands: The commands below it.
    """

    path: tuple[str, ...]
    usage: str
    help: str
    epilog: str
    interspersed: bool
    options: tuple[Declared, ...]
    arguments: tuple[Declared, ...]
    commands: tuple["DeclaredCommand", ...] = ()

    def walk(self) -> Iterator["DeclaredCommand"]:
        """Yield the command, then all below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


def declared() -> DeclaredCommand:
    """Return the whole command line, read from typer's commands."""
    import typer  # noqa: PLC0415 - whoever has the file needs none of it

    from rootless.cli.app import app  # noqa: PLC0415

    command = typer.main.get_command(app)
    context = command.make_context("rootless", [], resilient_parsing=True)
    return _command((), command, context)


def _command(path: tuple[str, ...], command: "Command", context: "Context") -> DeclaredCommand:
    below = []
    for name in getattr(command, "list_commands", lambda _: ())(context):
        child = command.get_command(context, name)  # type: ignore[attr-defined]
        inner = child.make_context(name, [], parent=context, resilient_parsing=True)
        below.append(_command((*path, name), child, inner))
    parameters = [_parameter(each) for each in command.get_params(context)]
    shown = [each for each in parameters if each is not None]
    return DeclaredCommand(
        path=path,
        usage=" ".join(command.collect_usage_pieces(context)),
        help=(command.help or "").strip(),
        epilog=(command.epilog or epilog_of(path)).strip(),
        interspersed=context.allow_interspersed_args and not below,
        options=tuple(each for each in shown if each.names),
        arguments=tuple(each for each in shown if not each.names),
        commands=tuple(below),
    )


def _parameter(given: "Parameter") -> Declared | None:
    flag = getattr(given, "is_flag", False)
    help_ = getattr(given, "help", None) or ""
    if given.param_type_name != "option":
        metavar = given.metavar or ""
        return Declared(given.name or "", (), metavar, help_, many=given.nargs != 1)
    if getattr(given, "hidden", False):
        return None
    return Declared(
        parameter=given.name or "",
        names=tuple(sorted((*given.opts, *given.secondary_opts), key=_long_first)),
        metavar="" if flag else given.metavar or "VALUE",
        help=help_,
        group=getattr(given, "rich_help_panel", None) or "",
    )


def _long_first(name: str) -> bool:
    return not name.startswith("--")


def completion_data(command: DeclaredCommand) -> dict[str, Any]:
    """Return a command and those below it as completion reads them, fit for JSON."""
    return {
        "help": command.help.partition("\n\n")[0].replace("\n", " "),
        "interspersed": command.interspersed,
        "options": [
            [each.parameter, list(each.names), each.metavar, each.help] for each in command.options
        ],
        "arguments": [[each.parameter, each.metavar, each.many] for each in command.arguments],
        "commands": {each.path[-1]: completion_data(each) for each in command.commands},
    }


def read() -> Mapping[str, Any]:
    """Return the completion data of the whole command line; from the wheel's copy, if there."""
    try:
        with open(FILE, "rb") as file:
            return dict(json.load(file))
    except FileNotFoundError:  # a checkout
        return completion_data(declared())
