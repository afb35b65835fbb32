"""What `rootless build` does: reads the file, builds, names, prints."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rootless import timings
from rootless.build.advice import advice
from rootless.build.arguments import platform_arguments
from rootless.build.around import Around
from rootless.build.containerfile import parse
from rootless.build.engine import build
from rootless.build.opened import Opened, with_base
from rootless.build.stages import plan
from rootless.cli.build_lines import Lines
from rootless.cli.build_request import build_request
from rootless.cli.exit import print_line
from rootless.errors import InvalidInput, NotFound
from rootless.image import names
from rootless.image.store import Store
from rootless.oci.digest import hex_of
from rootless.oci.image_index import host_platform
from rootless.overlay import spare
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.build.events import Events
    from rootless.build.image import BuiltImage
    from rootless.build.request import BuildRequest
    from rootless.cli.build_screen import Screen
    from rootless.image.names import Image

_FORMS = ("auto", "plain", "tty")


def build_image(given: Mapping[str, Any], *, has_run: bool) -> str:
    """Build an image; return its ID as digits, "" where standard output has got its files.

    Args:
        given: The options' values as the command line has them, by parameter.
        has_run: A RUN is certain to be done.
    """
    timings.mark("imports")
    request = build_request(given)
    if request.iidfile:
        from rootless.cli import id_file  # noqa: PLC0415 - few builds have one

        id_file.check(request.iidfile)
    paths = Paths.from_environment()
    store = Store.open(paths, create=True)
    built = _built(store, paths, request, given, _import_for_run if has_run else None)
    is_told = _write_output(store, built, given["output"])
    if request.iidfile:
        id_file.write(request.iidfile, built.config_digest)
    return "" if is_told else hex_of(built.config_digest)


def _write_output(store: Store, built: "BuiltImage", text: str) -> bool:
    """Write the image's files where that is asked for; return whether standard output has them."""
    if not text:
        return False
    from rootless.build.output import parse_output, write_output  # noqa: PLC0415 - seldom wanted

    output = parse_output(text)
    left_out = write_output(store, names.resolve(store, hex_of(built.config_digest)), output)
    if left_out:
        more = f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
        print_line(f"warning: left out: {left_out[0]}{more}")
    return output.is_standard


def _built(
    store: Store,
    paths: Paths,
    request: "BuildRequest",
    given: Mapping[str, Any],
    meanwhile: "Callable[[], None] | None",
) -> "BuiltImage":
    with ExitStack() as owned:
        opened = Opened(store, request, owned)
        owned.callback(request.contexts.close)
        file = opened.containerfile()
        instructions = with_base(parse(file.data, file.name, meanwhile), request.base)
        planned = plan(instructions, request.target, request.build_args, _platform_arguments())
        around = Around(
            *(store, paths, request, planned),
            image_of=lambda name: _image(store, name, given),
            open_context=opened.source,
            folder=opened.folder,
        )
        events = owned.enter_context(_shown(given["progress"], quiet=given["quiet"]))
        for line in advice(instructions, planned):
            events.warn(line)
        return build(around, events)


def _import_for_run() -> None:
    import_module("rootless.build.running")


def _image(store: Store, name: str, given: Mapping[str, Any]) -> "Image":
    """Return an image that the file names, pulled where that is due."""
    pull = {"": "missing", "true": "always", "false": "missing"}.get(given["pull"], given["pull"])
    if spare.is_put_off():
        from rootless.overlay import warm  # noqa: PLC0415 - only where some may be mounted

        warm.note(name)
    if pull in ("missing", "never") and not given["verify_key"]:
        with suppress(NotFound, InvalidInput):  # what follows knows more names, and says why not
            return names.resolve(store, name)
    from rootless.cli.fetch import image_for_run  # noqa: PLC0415 - a registry may be asked

    stored = image_for_run(name, {**given, "pull": pull, "lazy": "never"})
    return names.resolve(store, stored)


def _platform_arguments() -> dict[str, str]:
    own = host_platform()
    return platform_arguments(own, own)


@contextmanager
def _shown(form: str, *, quiet: bool) -> "Iterator[Events]":
    """Give who shows the build."""
    if form not in _FORMS:
        raise InvalidInput("no such progress", form, f"one of {', '.join(_FORMS)}")
    if quiet:
        from rootless.cli.build_quiet import Quiet  # noqa: PLC0415 - seldom wanted

        yield Quiet()
        return
    shown = _screen() if form == "tty" or (form == "auto" and sys.stderr.isatty()) else Lines()
    try:
        yield shown
    finally:
        shown.close()


def _screen() -> "Screen":
    from rootless.cli.build_screen import Screen  # noqa: PLC0415 - on a terminal

    return Screen()
