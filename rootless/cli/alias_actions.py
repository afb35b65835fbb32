"""What `rootless alias` does, apart from how its options are declared."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from rootless import toml_file
from rootless.alias import check, definition, edit_file, functions, shim
from rootless.alias.definition import Alias
from rootless.cli import alias_install, run_options, table
from rootless.cli.alias_install import own_file, shim_text, with_image
from rootless.cli.exit import print_line
from rootless.config.option_values import FLAG, TEXTS, Value, value_of
from rootless.config.trust import State, Trust, refusal
from rootless.errors import InvalidInput, NotFound
from rootless.image.store import Store
from rootless.paths import Paths

_COMMAND_LINE = Path("--option")


def requested(
    name: str,
    image: str,
    *,
    command: tuple[str, ...],
    lists: Mapping[str, Value],
    options: list[str],
    evaluate: bool,
) -> Alias:
    """Return the alias that a command line asks for; raises InvalidInput."""
    definition.check_name(name)
    if not image:
        raise InvalidInput("no image given", name, "rootless alias add NAME --image IMAGE")
    values: dict[str, Value] = {definition.NATIVE: True, **lists}
    for each in options:
        key, equals, given = each.partition("=")
        kind = run_options.KINDS.get(key)
        word = _truth(given, equals) if kind == FLAG else given
        value = value_of(key, word, run_options.KINDS, _COMMAND_LINE, key)
        before = values.get(key)
        if kind == TEXTS and isinstance(before, tuple) and isinstance(value, tuple):
            value = (*before, *value)
        values[key] = value
    if values[definition.NATIVE] is False:
        del values[definition.NATIVE]
    shell = definition.EVAL if evaluate else ""
    return Alias(name, image, command, values, shell)


def _truth(given: str, equals: str) -> bool | str:
    known = {"true": True, "false": False}
    return known.get(given, given) if equals else True


def add(alias: Alias, *, pin: bool, pull: bool, force: bool) -> None:
    """Define an alias in the user's file, and install it."""
    paths = Paths.from_environment()
    file = own_file(paths)
    place = paths.binaries / alias.name
    _check_request(alias)
    if pull or pin:
        alias = with_image(alias, pin=pin)
    shim.write(place, shim_text(alias, file), file, force=force)
    edit_file.add(file, alias)
    typer.echo(place)
    for what in check.check_path(paths.binaries, os.environ.get("PATH", "")):
        typer.echo(what, err=True)


def _check_request(alias: Alias) -> None:
    """Check an alias's options as `run` would; raises InvalidInput."""
    from rootless.cli.arguments import run_request  # noqa: PLC0415

    run_request(run_options.of_image(alias.image, alias.options))


def listed(*, as_json: bool) -> Iterator[str]:
    """Yield the lines of a list."""
    paths = Paths.from_environment()
    shims = {each.name: each for each in shim.installed(paths.binaries)}
    rows = []
    for file in dict.fromkeys([own_file(paths), *(each.origin for each in shims.values())]):
        for name, alias in definition.read(file, run_options.KINDS).items():
            known = shims.get(name)
            if known is None and file != own_file(paths):
                continue
            is_here = known is not None and known.origin == file
            rows.append((alias, file, is_here))
    rows.sort(key=lambda row: row[0].name)
    if as_json:
        yield json.dumps([_record(*row) for row in rows], indent=2)
        return
    yield from table.lines(
        ("NAME", "IMAGE", "COMMAND", "DEFINED IN"),
        [
            (
                alias.name if is_here else f"({alias.name})",
                alias.image,
                shlex.join(alias.command),
                str(file),
            )
            for alias, file, is_here in rows
        ],
    )


def _record(alias: Alias, file: Path, is_here: bool) -> dict[str, object]:  # noqa: FBT001 - a row
    return {
        "Name": alias.name,
        "Image": alias.image,
        "Command": alias.command,
        "Options": dict(alias.options),
        "DefinedIn": str(file),
        "Installed": is_here,
    }


def remove(name: str) -> str:
    """Remove an alias, and its definition where that is the user's; return its name."""
    paths = Paths.from_environment()
    file = own_file(paths)
    is_defined = name in definition.read(file, run_options.KINDS)
    known = shim.read(paths.binaries / definition.check_name(name))
    if known is not None or not is_defined:
        shim.remove(paths.binaries / name)
    if is_defined and (known is None or known.origin == file):
        edit_file.remove(file, [name])
    return name


def edit(*, pull: bool) -> None:
    """Have the user's file edited, check it, and install what it says then."""
    paths = Paths.from_environment()
    file = own_file(paths)
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    before = file.read_bytes() if file.exists() else b""
    with tempfile.NamedTemporaryFile(suffix=f"-{file.name}", delete=False) as draft:
        draft.write(before)
    try:
        done = subprocess.run([*shlex.split(editor), draft.name], check=False)
    except FileNotFoundError as error:
        fix = "set VISUAL or EDITOR"
        raise NotFound("no such editor", editor, fix) from error
    after = Path(draft.name).read_bytes()
    if done.returncode != 0 or after == before:
        Path(draft.name).unlink()
        typer.echo("nothing changed")
        return
    for alias in definition.parse(after, Path(draft.name), run_options.KINDS).values():
        _check_request(alias)
    edit_file.write(file, after)
    Path(draft.name).unlink()
    aliases = definition.parse(after, file, run_options.KINDS)
    if pull:
        aliases = _with_images(aliases, pin=False)
    _install(paths, file, aliases, force=False)


def sync(given: str, *, pin: bool, trusted: bool, pull: bool, force: bool) -> None:
    """Install what a file defines, once it is trusted."""
    paths = Paths.from_environment()
    file = _meant(given, paths)
    data = toml_file.read(file, definition.WHAT) or b""  # once: what was trusted is installed
    aliases = definition.parse(data, file, run_options.KINDS)
    if file != own_file(paths):
        _ask_for_trust(file, data, aliases, paths, trusted=trusted)
    made = _with_images(aliases, pin=pin) if pull or pin else aliases
    images = {name: each.image for name, each in made.items() if each.image != aliases[name].image}
    if images:
        is_as_read = toml_file.read(file, definition.WHAT) == data  # a pull takes its time
        written = edit_file.set_images(file, images)
        if is_as_read and file != own_file(paths):
            Trust(paths.state).add(file, written)
    _install(paths, file, made, force=force)


def _meant(given: str, paths: Paths) -> Path:
    if given:
        path = Path(given).absolute()
        file = path / definition.FILE_NAME if path.is_dir() else path
        if not file.is_file():
            raise NotFound("no such file", str(file))
        return file
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / definition.FILE_NAME).is_file():
            return folder / definition.FILE_NAME
    if not own_file(paths).is_file():
        raise NotFound("no aliases.toml here or above", str(here), "rootless alias add makes one")
    return own_file(paths)


def _ask_for_trust(
    file: Path, data: bytes, aliases: Mapping[str, Alias], paths: Paths, *, trusted: bool
) -> None:
    for alias in aliases.values():
        _check_request(alias)
    trust = Trust(paths.state)
    state = trust.state_of(file, data)
    if state is State.TRUSTED:
        return
    if not trusted:
        if not sys.stdin.isatty():
            raise InvalidInput(
                f"the file is {state.value}", str(file), "read it; --yes installs what it says"
            )
        for alias in aliases.values():
            words = ["run", *run_options.as_words(alias.options), alias.image, *alias.command]
            print_line(f"{alias.name} would be: rootless {shlex.join(words)}")  # escapes shown
        if not typer.confirm(f"Install these commands of {file}?", err=True):
            raise refusal(file, state)
    trust.add(file, data)


def _with_images(aliases: Mapping[str, Alias], *, pin: bool) -> dict[str, Alias]:
    """Return the aliases once all their images are there: where one is not, nothing is changed."""
    return {name: with_image(alias, pin=pin) for name, alias in aliases.items()}


def _install(paths: Paths, file: Path, aliases: Mapping[str, Alias], *, force: bool) -> None:
    for name, alias in aliases.items():
        shim.write(paths.binaries / name, shim_text(alias, file), file, force=force)
        typer.echo(f"{paths.binaries / name}  {alias.image}")
        if file != own_file(paths) and not alias.is_pinned:
            typer.echo(f"{name}: its image may change: --pin names it by its digest", err=True)
    for known in shim.installed(paths.binaries):
        if known.origin == file and known.name not in aliases:
            shim.remove(known.path)
            typer.echo(f"removed: {known.path}")


def faults() -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each with the alias that has it."""
    paths = Paths.from_environment()
    path = os.environ.get("PATH", "")
    store = Store.open(paths, create=False)
    shims = list(shim.installed(paths.binaries))
    wanted = alias_install.wanted_texts(paths, shims)
    if shims:
        yield from (("PATH", what) for what in check.check_path(paths.binaries, path))
    for each in shims:
        text = wanted[each.origin].get(each.name)
        yield from ((each.name, what) for what in check.check_shim(each, text, path))
    installed = {(each.name, each.origin) for each in shims}
    for file in wanted:
        for name, alias in definition.read(file, run_options.KINDS).items():
            if (name, file) in installed:
                yield from ((name, what) for what in check.check_alias(alias, store))
            elif file == own_file(paths):
                yield name, f"it is not installed: rootless alias sync {file}"


def init(shell: str) -> str:
    """Return what a shell evaluates at its start; raises InvalidInput."""
    if shell not in functions.SHELLS:
        raise InvalidInput("not a shell that is known", shell, f"one of {functions.SHELLS}")
    paths = Paths.from_environment()
    shims = list(shim.installed(paths.binaries))
    names = []
    for file in dict.fromkeys(each.origin for each in shims):
        aliases = definition.read(file, run_options.KINDS)
        names += [each.name for each in shims if each.origin == file and _is_eval(aliases, each)]
    return functions.text(shell, str(paths.binaries), sorted(names))


def _is_eval(aliases: Mapping[str, Alias], each: shim.Shim) -> bool:
    return each.name in aliases and aliases[each.name].shell == definition.EVAL
