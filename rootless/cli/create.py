"""`rootless create`: a container to be started later, with the options of `run`."""

import inspect
from typing import Any

import typer

from rootless.cli import actions
from rootless.cli import run as run_command
from rootless.cli.option_groups import GroupedCommand

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_OF_A_RUN = ("detach", "bundle", "pidfile", "native", "share", "attach", "sig_proxy")


def create(**given: Any) -> None:
    """Make a container of an image, and print its ID; `rootless start` starts it.

    Its files are kept until `rootless rm`. The options are those of `run`.
    """
    actions.create(given)


def _signature() -> inspect.Signature:
    """Return that of `run`, without what is of a run only."""
    whole = inspect.signature(run_command.run)
    kept = [each for name, each in whole.parameters.items() if name not in _OF_A_RUN]
    return whole.replace(parameters=kept, return_annotation=None)


create.__signature__ = _signature()  # type: ignore[attr-defined] # what typer reads
create.__annotations__ = {
    name: annotation
    for name, annotation in run_command.run.__annotations__.items()
    if name not in _OF_A_RUN
}
app.command(
    cls=GroupedCommand,
    options_metavar="[OPTIONS] IMAGE [COMMAND [ARGUMENT]...]",
    context_settings={"allow_interspersed_args": False, "help_option_names": ["--help"]},
)(create)
