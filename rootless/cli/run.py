"""`rootless run`: parse the options, prepare the container, run it."""

import sys
from typing import Annotated

import typer

app = typer.Typer(rich_markup_mode=None)

_Words = list[str]


def _option(*names: str, metavar: str, help_: str) -> object:
    return typer.Option(*names, metavar=metavar, help=help_, show_default=False)


@app.command(
    context_settings={"allow_interspersed_args": False},
    epilog="Examples: rootless run debian cat /etc/os-release; rootless run -it debian bash; "
    "rootless run -v .:/work -w /work debian make; rootless run --bundle ./bundle",
)
def run(  # noqa: PLR0917 - one parameter an option
    words: Annotated[
        _Words | None,
        typer.Argument(metavar="IMAGE [COMMAND]...", show_default=False, help="What to run."),
    ] = None,
    volume: Annotated[
        _Words | None,
        _option("--volume", "-v", metavar="SRC:DST[:OPTS]", help_="Bind a folder or file."),
    ] = None,
    mount: Annotated[
        _Words | None,
        _option("--mount", metavar="type=bind,src=,dst=", help_="Mount a bind or tmpfs."),
    ] = None,
    tmpfs: Annotated[
        _Words | None, _option("--tmpfs", metavar="DST[:OPTS]", help_="Mount memory at DST.")
    ] = None,
    env: Annotated[
        _Words | None,
        _option("--env", "-e", metavar="NAME[=VALUE]", help_="Set or pass a variable."),
    ] = None,
    env_file: Annotated[
        _Words | None, _option("--env-file", metavar="FILE", help_="Variables, one a line.")
    ] = None,
    workdir: Annotated[
        str, _option("--workdir", "-w", metavar="DIR", help_="Working directory inside.")
    ] = "",
    user: Annotated[
        str,
        _option("--user", "-u", metavar="USER[:GROUP]", help_="Names in the image, or numbers."),
    ] = "",
    group_add: Annotated[
        _Words | None,
        _option("--group-add", metavar="GROUP", help_="One more group; keep-groups keeps yours."),
    ] = None,
    hostname: Annotated[str, _option("--hostname", metavar="NAME", help_="Host name inside.")] = "",
    add_host: Annotated[
        _Words | None, _option("--add-host", metavar="NAME:ADDRESS", help_="Line in /etc/hosts.")
    ] = None,
    dns: Annotated[_Words | None, _option("--dns", metavar="ADDRESS", help_="Name server.")] = None,
    network: Annotated[
        str, typer.Option("--network", "--net", metavar="host|none", help="Network to use.")
    ] = "host",
    entrypoint: Annotated[
        str | None,
        _option("--entrypoint", metavar="CMD", help_="In place of the image's; a word or JSON."),
    ] = None,
    interactive: Annotated[  # noqa: FBT002 - typer's form of a flag
        bool, typer.Option("--interactive", "-i", help="Pass standard input.")
    ] = False,
    tty: Annotated[  # noqa: FBT002
        bool, typer.Option("--tty", "-t", help="Give the command a terminal.")
    ] = False,
    remove: Annotated[  # noqa: FBT002
        bool, typer.Option("--rm", help="Remove a named container when it ends.")
    ] = False,
    name: Annotated[
        str, _option("--name", metavar="NAME", help_="Keep what it writes under this name.")
    ] = "",
    replace: Annotated[  # noqa: FBT002
        bool, typer.Option("--replace", help="With --name: start afresh.")
    ] = False,
    overlay: Annotated[
        str, _option("--overlay", metavar="DIR", help_="Keep what it writes in this folder.")
    ] = "",
    overlay_driver: Annotated[
        str, typer.Option(metavar="auto|hybrid|fuse", help="Who does the copy-on-write.")
    ] = "auto",
    read_only: Annotated[  # noqa: FBT002
        bool, typer.Option("--read-only", help="Make the root file system read-only.")
    ] = False,
    read_only_tmpfs: Annotated[  # noqa: FBT002
        bool, typer.Option(help="With --read-only: /run, /tmp and /var/tmp are writable.")
    ] = True,
    userns: Annotated[
        str,
        _option(
            "--userns",
            metavar="host|keep-id|single",
            help_="ID map: yours and your sub-IDs; your own ID kept; one ID only.",
        ),
    ] = "",
    uidmap: Annotated[
        _Words | None,
        _option(
            "--uidmap",
            metavar="IN:FROM:LEN",
            help_="Map UIDs; FROM 0 is you, 1 your first sub-ID, @ID an ID of the host.",
        ),
    ] = None,
    gidmap: Annotated[
        _Words | None, _option("--gidmap", metavar="IN:FROM:LEN", help_="The same for GIDs.")
    ] = None,
    cap_add: Annotated[
        _Words | None, _option("--cap-add", metavar="CAP", help_="Add a capability, or ALL.")
    ] = None,
    cap_drop: Annotated[
        _Words | None, _option("--cap-drop", metavar="CAP", help_="Drop a capability, or ALL.")
    ] = None,
    security_opt: Annotated[
        _Words | None,
        _option("--security-opt", metavar="OPT", help_="no-new-privileges[=true|false]."),
    ] = None,
    device: Annotated[
        _Words | None, _option("--device", metavar="SRC[:DST]", help_="Pass a device node.")
    ] = None,
    shm_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Size of /dev/shm: 64m, 1g.")
    ] = "64m",
    init: Annotated[  # noqa: FBT002
        bool, typer.Option("--init", help="Always so: PID 1 reaps and forwards signals.")
    ] = False,
    bundle: Annotated[
        str,
        _option("--bundle", "-b", metavar="DIR|FILE.tar", help_="Run an OCI bundle, no image."),
    ] = "",
) -> int:
    """Run a command in an image, as an ordinary user, without unpacking it.

    What it writes goes when it ends, unless --name, --overlay or a volume keeps it. The exit
    status is the command's own; 125 when rootless failed, 126 or 127 when the command could not
    be executed or found, 128+N when signal N ended it.
    """
    import os  # noqa: PLC0415 - --help needs none of it

    from rootless.bundle import environment, parse, volumes  # noqa: PLC0415
    from rootless.bundle.options import RunOptions  # noqa: PLC0415
    from rootless.containers.request import RunRequest  # noqa: PLC0415
    from rootless.containers.run import run_bundle, run_image  # noqa: PLC0415
    from rootless.errors import InvalidInput  # noqa: PLC0415

    del init
    folder = os.getcwd()
    files = [item for path in env_file or () for item in environment.read_file(path)]
    arguments = list(words or ())
    if not bundle and not arguments:
        raise InvalidInput("no image given", "", "rootless run IMAGE [COMMAND]...")
    image = "" if bundle else arguments.pop(0)
    request = RunRequest(
        options=RunOptions(
            command=tuple(arguments),
            entrypoint=parse.entrypoint(entrypoint),
            env=tuple(environment.expand([*files, *(env or ())], os.environ)),
            workdir=workdir,
            user=user,
            group_add=tuple(group_add or ()),
            hostname=hostname,
            network=network,
            mounts=(
                *(volumes.parse_volume(text, folder) for text in volume or ()),
                *(volumes.parse_mount(text, folder) for text in mount or ()),
                *(volumes.parse_tmpfs(text) for text in tmpfs or ()),
            ),
            read_only=read_only,
            read_only_tmpfs=read_only_tmpfs,
            terminal=tty,
            cap_add=tuple(cap_add or ()),
            cap_drop=tuple(cap_drop or ()),
            no_new_privileges=parse.no_new_privileges(security_opt or ()),
            shm_size=parse.size(shm_size),
        ),
        userns=userns,
        uidmap=tuple(uidmap or ()),
        gidmap=tuple(gidmap or ()),
        driver=overlay_driver,
        overlay=overlay,
        name=name,
        replace=replace,
        remove=remove,
        interactive=interactive,
        add_hosts=tuple(add_host or ()),
        dns=tuple(dns or ()),
        devices=tuple(device or ()),
    )
    status = run_bundle(bundle, request) if bundle else run_image(image, request)
    sys.stdout.flush()
    return status
