"""What the commands do that are started often, apart from how their options are declared.

Two front ends call them: the declarations, through typer, and `straight`, which reads ordinary
words by a table made of those. Each gets its options' values by parameter.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rootless import timings
from rootless.cli.echo import echo

_Given = Mapping[str, Any]
_SELDOM = (50_000, 20, 100)  # what modules are made of is no garbage, and is forked several times


def run(given: _Given) -> int:
    """Run an image or a bundle; return the workload's status."""
    given = _with_profiles(given)
    from rootless.overlay import spare  # noqa: PLC0415 - first, as it starts beside all else

    if not (given["bundle"] or given["detach"] or given["attach"]):
        spare.prepare()
    try:
        status = _run(given)
    finally:
        spare.discard()
    if status < 0:
        from rootless.runtime.signals import end_by  # noqa: PLC0415

        end_by(-status)
    return status


def _with_profiles(given: _Given) -> _Given:
    if not given["profile"]:
        return given
    from rootless.cli.profile_values import with_profiles  # noqa: PLC0415 - few name any

    return with_profiles(given)


def _run(given: _Given) -> int:
    from rootless.cli.arguments import run_request  # noqa: PLC0415 - --help needs none of it
    from rootless.cli.fetch import image_for_run  # noqa: PLC0415
    from rootless.containers import run as runs  # noqa: PLC0415

    timings.mark("imports")
    if given["attach"]:
        from rootless.cli import attached  # noqa: PLC0415 - seldom

        given = attached.as_detached(given)
    image, request = run_request(given)
    if image:
        image = image_for_run(image, given)
    timings.mark("options checked, image found")
    if given["attach"]:
        return runs.run_attached(image, request, attached.options_of(given))
    if request.detach:
        echo(runs.run_detached(image, request))
        return 0
    return runs.run_image(image, request) if image else runs.run_bundle(given["bundle"], request)


def build(given: _Given) -> None:
    """Build an image and print its ID."""
    import gc  # noqa: PLC0415

    from rootless.cli import build_ahead  # noqa: PLC0415 - --help needs none of it
    from rootless.overlay import spare  # noqa: PLC0415

    gc.set_threshold(*_SELDOM)
    try:
        has_run = build_ahead.begin(given)  # first, as it starts beside all else
        from rootless.cli.building import build_image  # noqa: PLC0415

        image_id = build_image(given, has_run=has_run)
        if image_id:
            echo(image_id)
        _offer_holder()
    finally:
        spare.discard()


def _offer_holder() -> None:
    """Start what makes the next one quicker, where that is wanted."""
    from rootless.holder import start  # noqa: PLC0415 - small

    if start.is_wanted():
        from contextlib import suppress  # noqa: PLC0415

        from rootless.errors import RootlessError  # noqa: PLC0415
        from rootless.paths import Paths  # noqa: PLC0415
        from rootless.settings import keep_alive  # noqa: PLC0415

        with suppress(OSError, RootlessError):  # it is of no use to this build
            start.offer(keep_alive(Paths.from_environment()))


def create(given: _Given) -> None:
    """Make a container and print its ID."""
    from rootless.cli.arguments import run_request  # noqa: PLC0415
    from rootless.cli.fetch import image_for_run  # noqa: PLC0415
    from rootless.containers.run import create as create_container  # noqa: PLC0415

    left_out = {"detach": True, "bundle": "", "pidfile": "", "native": False, "share": None}
    left_out |= {"attach": None, "sig_proxy": ""}
    given = _with_profiles(given)
    image, request = run_request({**given, **left_out})
    echo(create_container(image_for_run(image, given), request))


def exec_(given: _Given) -> int:
    """Run a command in a running container; return its status."""
    import os  # noqa: PLC0415

    from rootless.bundle import environment  # noqa: PLC0415
    from rootless.containers.exec import ExecRequest, execute  # noqa: PLC0415

    variables = [each for path in given["env_file"] or () for each in environment.read_file(path)]
    variables += given["env"] or ()
    container, command = _place_and_command(given)
    request = ExecRequest(
        command=command,
        env=tuple(environment.expand(variables, os.environ)),
        user=given["user"],
        workdir=given["workdir"],
        terminal=given["tty"],
        interactive=given["interactive"],
        detach=given["detach"],
        privileged=given["privileged"],
    )
    return execute(container, request)


def _place_and_command(given: _Given) -> tuple[str, tuple[str, ...]]:
    """Return the container and the command of `exec`: with --latest all words are the latter's."""
    container, command = given["container"], tuple(given["command"] or ())
    if given["latest"] or not container:
        from rootless.containers.choice import the_one  # noqa: PLC0415 - most name it

        command = (container, *command) if container else ()
        container = the_one("", latest=given["latest"])
    if not command:
        from rootless.errors import InvalidInput  # noqa: PLC0415

        raise InvalidInput("no command given", container, "rootless exec NAME COMMAND...")
    return container, command


def start(given: _Given) -> int:
    """Start containers; attached to one, return its status."""
    from rootless.containers import commands  # noqa: PLC0415
    from rootless.containers.detach_keys import parse  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415

    containers = _chosen(given, alive=False)
    if not (given["attach"] or given["interactive"]):
        return _for_each(containers, commands.start)
    if len(containers) > 1:
        raise InvalidInput("one container can be attached to at a time", " ".join(containers))
    return commands.start_attached(
        containers[0],
        takes_input=given["interactive"],
        detach_keys=parse(given["detach_keys"]),
        sig_proxy=given["sig_proxy"],
    )


def stop(given: _Given) -> int:
    """Stop containers."""
    from rootless.containers import commands  # noqa: PLC0415
    from rootless.containers.policy import parse_signal  # noqa: PLC0415

    patience = _patience(given)
    number = parse_signal(given["number"]) if given["number"] else 0
    return _for_each(
        _chosen(given, alive=True),
        lambda word: commands.stop(word, patience, number),
        ignore=given["ignore"],
    )


def kill(given: _Given) -> int:
    """Send containers a signal."""
    from rootless.containers import commands  # noqa: PLC0415
    from rootless.containers.policy import parse_signal  # noqa: PLC0415

    number = parse_signal(given["signal"])
    return _for_each(_chosen(given, alive=True), lambda word: commands.kill(word, number))


def wait(given: _Given) -> int:
    """Wait for containers and print their statuses."""
    from rootless.containers import commands  # noqa: PLC0415

    return _for_each(_chosen(given), commands.wait)


def rm(given: _Given) -> int:
    """Remove containers."""
    from rootless.containers import commands  # noqa: PLC0415

    patience = _patience(given)
    force = given["force"] or patience is not None

    def remove(word: str) -> str:
        return commands.remove_one(word, force=force, patience=patience)

    return _for_each(_chosen(given), remove, ignore=given["ignore"])


def ps(given: _Given) -> None:
    """List containers."""
    from rootless.cli import formatted, ps_lines  # noqa: PLC0415
    from rootless.containers import listing  # noqa: PLC0415

    formatted.check_list_format(given["form"])
    found = listing.listed(
        given["filters"] or [],
        everything=given["everything"],
        last=1 if given["latest"] else given["last"],
    )
    found = listing.in_order(found, given["sort"])
    if given["quiet"]:
        for each in found:
            echo(each.record.id if given["no_trunc"] else each.record.id[:12])
        return
    for line in ps_lines.lines(found, given):
        echo(line)


def restart(given: _Given) -> int:
    """Stop containers, and start them again."""
    from rootless.containers import commands  # noqa: PLC0415

    patience = _patience(given)
    running = given["running"]
    wanted = {**given, "everything": given["everything"] or running}
    found = _chosen(wanted, alive=True if running else None)
    return _for_each(found, lambda word: commands.restart(word, patience))


def _patience(given: _Given) -> float | None:
    """Return the seconds of --time; None for the container's own."""
    from rootless.containers.policy import seconds  # noqa: PLC0415

    return seconds(given["timeout"], "--time") if given["timeout"] else None


def _chosen(given: _Given, *, alive: bool | None = None) -> list[str]:
    """Return the containers that a command is for."""
    from rootless.containers.choice import Choice, chosen  # noqa: PLC0415

    choice = Choice(
        words=tuple(given["containers"] or ()),
        everything=given.get("everything", False),
        latest=given["latest"],
        filters=tuple(given.get("filters") or ()),
        id_files=tuple(given.get("cidfile") or ()),
    )
    return chosen(choice, alive=alive)


def _for_each(words: list[str], act: Callable[[str], str], *, ignore: bool = False) -> int:
    from rootless.cli.each import for_each  # noqa: PLC0415

    return for_each(words, act, ignore=ignore)
