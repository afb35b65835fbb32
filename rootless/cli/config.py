"""`rootless config`: profiles, where they come from, and which project files are trusted."""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rootless.cli.command import Command
from rootless.cli.group import Group

if TYPE_CHECKING:
    from rootless.config.profiles import Source

_HELP = "Show profiles and settings, check them, trust a project's."
app = typer.Typer(cls=Group, rich_markup_mode=None, add_completion=False, help=_HELP)

_File = Annotated[
    str,
    typer.Argument(
        metavar="[FILE]", help="Else the .rootless.toml of this project.", show_default=False
    ),
]


@app.callback(
    epilog="""\b
Files, the first that has a say wins:
  .rootless.toml in this folder or above      once trusted; [profiles.NAME]
  ~/.config/rootless/config.toml              settings and [profiles.NAME]
  /etc/rootless/config.toml                   the same, of the machine
\b
A profile holds options of `run`, without the dashes, and image and command:
  [profiles.test]
  image = "docker.io/library/python:3.13"
  command = ["pytest", "-x"]
  native = true
  env = ["CI=1"]
Then: rootless run --profile test"""
)
def _config() -> None:
    """Show profiles and settings, check them, trust a project's."""


@app.command(cls=Command)
def show(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PROFILE]...", help="Only these.", show_default=False),
    ] = None,
    origin: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--origin", help="Say of each value which file it is from.")
    ] = False,
) -> None:
    """Show the settings and profiles that are in force here."""
    from rootless import settings  # noqa: PLC0415 - --help needs none of it
    from rootless.cli import run_options  # noqa: PLC0415
    from rootless.cli.exit import print_line  # noqa: PLC0415
    from rootless.config import profiles  # noqa: PLC0415
    from rootless.config.trust import State, refusal  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    found = profiles.sources(paths, Path.cwd())
    by_file = [(settings.load((file,)), file) for file in paths.settings if not names]
    for field in fields(settings.Settings):
        said = ((getattr(loaded, field.name), file) for loaded, file in by_file)
        for value, file in [each for each in said if each[0] is not None][:1]:
            _print(field.name, value, file if origin else None)
    shown = profiles.load(found, run_options.KINDS)
    for name in names or ():
        profiles.profile(found, run_options.KINDS, name)
    for name, values in sorted(shown.items()):
        if not names or name in names:
            typer.echo(f"[profiles.{_key(name)}]")
            for option, setting in values.items():
                _print(option, setting.value, setting.origin if origin else None)
    for source in found:
        if source.state is not State.TRUSTED:
            print_line(f"left out: {refusal(source.file, source.state)}")


def _key(name: str) -> str:
    return json.dumps(name) if set(name) & {".", "+"} else name


def _print(name: str, value: Any, origin: Path | None) -> None:
    # such strings are TOML's as well
    line = f"{name} = {json.dumps(value, ensure_ascii=False, default=str)}"
    typer.echo(f"{line}  # {origin}" if origin else line)


@app.command(cls=Command)
def check(file: _File = "") -> int:
    """Check the settings and profiles for faults; one line each.

    Without FILE all that have a say here are checked.
    """
    from rootless import settings  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.exit import SETUP_FAILED, print_line  # noqa: PLC0415
    from rootless.config import profiles  # noqa: PLC0415
    from rootless.errors import RootlessError  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    paths = Paths.from_environment()
    status = 0
    found = [_source(file)] if file else profiles.sources(paths, Path.cwd())
    for source in found:
        try:
            if not source.is_project:
                settings.load((source.file,))
            count = _checked(source)
        except RootlessError as error:
            print_line(str(error))
            status = SETUP_FAILED
        else:
            word = "profile" if count == 1 else "profiles"
            typer.echo(f"{source.file}: {count} {word}, {source.state.value}")
    if not found:
        typer.echo("no settings: no file has a say here")
    return status


def _checked(source: "Source") -> int:
    """Check a file as `run` would; return how many profiles it has."""
    from rootless.cli import run_options  # noqa: PLC0415
    from rootless.cli.arguments import run_request  # noqa: PLC0415
    from rootless.config import profiles  # noqa: PLC0415
    from rootless.config.option_values import fault  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415

    count = 0
    for name, values in profiles.read_profiles(source, run_options.KINDS):
        options = {k: v for k, v in values.items() if k not in (profiles.IMAGE, profiles.COMMAND)}
        try:
            run_request(run_options.of_image("image", options))
        except InvalidInput as error:
            raise fault(source.file, f"profiles.{name}", str(error)) from error
        count += 1
    return count


def _source(file: str) -> "Source":
    from rootless import toml_file  # noqa: PLC0415
    from rootless.config import profiles  # noqa: PLC0415
    from rootless.config.trust import Trust  # noqa: PLC0415
    from rootless.errors import NotFound  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    path = Path(file).absolute() if file else profiles.find_project_file(Path.cwd())
    data = None if path is None else toml_file.read(path, "the file")
    if path is None or data is None:
        raise NotFound("no such file", file or profiles.PROJECT_FILE)
    paths = Paths.from_environment()
    if path in paths.settings:
        return profiles.Source(path, data, is_project=False)
    state = Trust(paths.state).state_of(path, data)
    return profiles.Source(path, data, is_project=True, state=state)


@app.command(cls=Command)
def trust(file: _File = "") -> None:
    """Let a project's file have a say, as it is now: read it first.

    It may ask for any of your folders. After a change it has to be trusted again.
    """
    from rootless.config.trust import Trust  # noqa: PLC0415 - --help needs none of it
    from rootless.paths import Paths  # noqa: PLC0415

    source = _source(file)
    _checked(source)
    Trust(Paths.from_environment().state).add(source.file, source.data)
    typer.echo(f"trusted: {source.file}")


@app.command(cls=Command)
def untrust(file: _File = "") -> None:
    """Take a project's file its say."""
    from rootless.config import profiles  # noqa: PLC0415 - --help needs none of it
    from rootless.config.trust import Trust  # noqa: PLC0415
    from rootless.errors import NotFound  # noqa: PLC0415
    from rootless.paths import Paths  # noqa: PLC0415

    path = Path(file).absolute() if file else profiles.find_project_file(Path.cwd())
    if path is None or not Trust(Paths.from_environment().state).remove(path):
        raise NotFound("not a trusted file", file or profiles.PROJECT_FILE)
    typer.echo(f"not trusted any more: {path}")
