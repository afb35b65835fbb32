"""`rootless container`: the commands for containers once more, as podman groups them."""

from typing import ClassVar

import typer

from rootless.cli.same_commands import SameCommands


class _Containers(SameCommands):
    same: ClassVar = {
        name: name
        for name in (
            *("attach", "create", "exec", "inspect", "kill", "logs", "port", "prune", "ps"),
            *("rename", "restart", "rm", "run", "start", "stop", "top", "wait"),
        )
    }


app = typer.Typer(cls=_Containers, rich_markup_mode=None, add_completion=False)


@app.callback()
def _container() -> None:
    """Work with containers: `rootless container prune` is `rootless prune`."""
