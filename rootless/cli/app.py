"""The command tree: each command's module is imported only when the command is asked for.

Start-up counts, so the table below holds names and one-line helps as plain data; a module is
imported to run its command or to print that command's own help, never for its neighbours.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli.exit import status_of
from rootless.cli.group import Group

if TYPE_CHECKING:  # typer keeps its copy of click private; only the annotations name it
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter


@dataclass(frozen=True, slots=True)
class _Command:
    """Where a command lives: `module` holds a `typer.Typer` named `app`."""

    module: str
    help: str


COMMANDS = {
    "run": _Command("rootless.cli.run", "Run a command in an image or a bundle."),
    "shell": _Command("rootless.cli.shell", "Open a shell in an image that stays as it is left."),
    "pull": _Command("rootless.cli.pull", "Bring images from registries into the store."),
    "login": _Command("rootless.cli.login", "Log in to a registry."),
    "logout": _Command("rootless.cli.logout", "Forget a registry's password."),
    "search-tags": _Command("rootless.cli.search_tags", "List the tags of an image."),
    "load": _Command("rootless.cli.load", "Load images from an OCI layout or an archive."),
    "push": _Command("rootless.cli.push", "Send an image to a registry."),
    "save": _Command("rootless.cli.save", "Write images into an archive or a folder."),
    "copy": _Command("rootless.cli.copy", "Copy images between registries and files."),
    "convert": _Command("rootless.cli.convert", "Write an image in another form."),
    "build": _Command("rootless.cli.build", "Build an image of a Containerfile."),
    "builder": _Command("rootless.cli.builder", "Build images; remove what builds keep."),
    "import": _Command("rootless.cli.import_", "Make an image of a root file system."),
    "images": _Command("rootless.cli.images", "List the images in the store."),
    "history": _Command("rootless.cli.history", "List the steps that made an image."),
    "tree": _Command("rootless.cli.tree", "Show the layers of an image and what each adds."),
    "explore": _Command("rootless.cli.explore", "Look around in the layers of an image."),
    "sbom": _Command("rootless.cli.sbom", "List the packages of an image."),
    "inspect": _Command("rootless.cli.inspect", "Show images or containers as JSON."),
    "tag": _Command("rootless.cli.tag", "Give an image another name."),
    "rmi": _Command("rootless.cli.rmi", "Remove images from the store."),
    "store": _Command("rootless.cli.store", "Check the store, and clean it."),
    "system": _Command("rootless.cli.system", "Show what takes up room, and make some."),
    "mount": _Command("rootless.cli.mount", "Mount an image as a read-only folder."),
    "pack": _Command("rootless.cli.pack", "Write an image into one file that runs in place."),
    "umount": _Command("rootless.cli.umount", "Unmount what `mount` mounted."),
    "bundle": _Command("rootless.cli.bundle", "Make OCI bundles."),
    "diff": _Command("rootless.cli.diff", "List what a container changed of its image."),
    "commit": _Command("rootless.cli.commit", "Make an image of what a container has become."),
    "export": _Command("rootless.cli.export", "Write a container's file system as a tar."),
    "cp": _Command("rootless.cli.cp", "Copy files between a container and the host."),
    "runtime": _Command("rootless.cli.runtime", "Drive bundles step by step, as runc does."),
    "create": _Command("rootless.cli.create", "Make a container to be started later."),
    "start": _Command("rootless.cli.start", "Start containers, with the files they had."),
    "ps": _Command("rootless.cli.ps", "List containers."),
    "logs": _Command("rootless.cli.logs", "Show what a container said."),
    "attach": _Command("rootless.cli.attach", "Attach to a running container."),
    "exec": _Command("rootless.cli.exec", "Run a command in a running container."),
    "port": _Command("rootless.cli.port", "Show the published ports of a container."),
    "stop": _Command("rootless.cli.stop", "Stop running containers."),
    "restart": _Command("rootless.cli.restart", "Stop containers, and start them again."),
    "kill": _Command("rootless.cli.kill", "Send a signal to what containers run."),
    "wait": _Command("rootless.cli.wait", "Wait until containers have ended."),
    "top": _Command("rootless.cli.top", "List the processes of a container."),
    "events": _Command("rootless.cli.events", "Print what happens to containers."),
    "stats": _Command("rootless.cli.stats", "Show what running containers use."),
    "rename": _Command("rootless.cli.rename", "Give a container another name."),
    "rm": _Command("rootless.cli.rm", "Remove containers and their files."),
    "prune": _Command("rootless.cli.prune", "Remove all containers that do not run."),
    "image": _Command("rootless.cli.image", "The commands for images, in a group."),
    "container": _Command("rootless.cli.container", "The commands for containers, in a group."),
    "generate": _Command("rootless.cli.generate", "Make files for other programs: systemd."),
    "alias": _Command("rootless.cli.alias", "Make commands of the host that run in images."),
    "info": _Command("rootless.cli.info", "Show the host and the store in podman's words."),
    "version": _Command("rootless.cli.version", "Print the version."),
    "config": _Command("rootless.cli.config", "Show profiles, check them, trust a project's."),
    "completion": _Command("rootless.cli.completion", "Print the completion of a shell."),
    "doctor": _Command("rootless.cli.doctor", "Check what this host has for running images."),
}


class _LazyGroup(Group):
    """A group whose commands come out of `COMMANDS`."""

    def list_commands(self, ctx: "Context") -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        del ctx
        known = COMMANDS.get(cmd_name)
        if known is None:
            return None
        module = importlib.import_module(known.module)
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, known.help) for name, known in COMMANDS.items()])


app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`rootless COMMAND --help` explains a command. Start with: rootless doctor",
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if value:
        from rootless import __version__  # noqa: PLC0415

        typer.echo(f"rootless {__version__}")
        raise typer.Exit


def _read_stores(given: list[str] | None) -> None:
    """Put what --store names in front of what is read beside one's own, here and in what starts."""
    if not given:
        return
    from rootless.cli.stores import name_stores  # noqa: PLC0415 - few runs name any

    name_stores(given)


@app.callback()
def _root(
    ctx: typer.Context,
    store: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ro:DIR",
            callback=_read_stores,
            help="Read images in this store too; may be given again.",
            show_default=False,
        ),
    ] = None,
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks and log decisions."),  # noqa: FBT001
    timings: bool = typer.Option(  # noqa: FBT001
        False, "--timings", help="Show at the end where the time went."
    ),
    version: bool = typer.Option(  # noqa: FBT001
        False, "--version", "-v", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Run container images without root, without a daemon and without unpacking them."""
    del store, version
    ctx.obj = {"debug": debug}
    if timings:
        from rootless import timings as table  # noqa: PLC0415 - asked for

        table.begin()
    if debug:
        import logging  # noqa: PLC0415

        logging.basicConfig(level=logging.DEBUG, format="%(name)s: %(message)s")


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit status, whatever happened."""
    command = typer.main.get_command(app)
    first = _first_word(arguments)
    debug = "--debug" in arguments[:first]
    if arguments[first : first + 1] == ["help"]:  # `rootless help run`, as other tools have it
        arguments = [*arguments[:first], *arguments[first + 1 :], "--help"]

    def call() -> object:
        return command.main(args=arguments, prog_name="rootless", standalone_mode=False)

    return status_of(call, debug=debug)


def _first_word(arguments: Sequence[str]) -> int:
    """Return the position of the command word: options before it are ours, after it its own."""
    words = enumerate(arguments)
    for position, word in words:
        if not word.startswith("-"):
            return position
        if word == "--store":  # the next word is its value
            next(words, None)
    return len(arguments)
