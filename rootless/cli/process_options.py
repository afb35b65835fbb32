"""The options of `run` about the process and what surrounds it, as types for its signature."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_COMMAND = "The command"
_FILES = "Files of yours inside"
_RIGHTS = "Rights and limits"
_LIFE = "How it lives"

EnvHost = Annotated[
    bool,
    flag(
        "--env-host",
        group=_COMMAND,
        help_="Pass all of your variables; those of the image come first.",
    ),
]
Unsetenv = Annotated[
    list[str] | None,
    option(
        "--unsetenv",
        group=_COMMAND,
        metavar="NAME",
        help_="Leave out a variable of the image, or one that is there by default.",
    ),
]
UnsetenvAll = Annotated[
    bool, flag("--unsetenv-all", group=_COMMAND, help_="Leave out all but those of --env.")
]
Tz = Annotated[
    str,
    option(
        "--tz",
        group=_COMMAND,
        metavar="ZONE|local",
        help_="Time zone, such as Europe/Berlin; local is yours.",
    ),
]
VolumesFrom = Annotated[
    list[str] | None,
    option(
        "--volumes-from",
        group=_FILES,
        metavar="CONTAINER[:ro|rw]",
        help_="All that another container has by --volume and --mount, at the same places.",
    ),
]
Attach = Annotated[
    list[str] | None,
    option(
        *("--attach", "-a"),
        group=_LIFE,
        metavar="stdout|stderr|stdin",
        help_="It lives on, as with --detach, and is attached to: all its output, and stdin.",
    ),
]
SigProxy = Annotated[
    str,
    option(
        "--sig-proxy",
        group=_LIFE,
        metavar="true|false",
        help_="With --attach: whether signals are passed on; else true.",
    ),
]
Privileged = Annotated[
    bool,
    flag(
        "--privileged",
        group=_RIGHTS,
        help_="All that you may hand over: every capability inside, your devices, no filter, "
        "nothing hidden. Nothing of root's.",
    ),
]
Sysctl = Annotated[
    list[str] | None,
    option(
        "--sysctl",
        group=_RIGHTS,
        metavar="NAME=VALUE",
        help_="A kernel setting of its own namespaces: net.*, kernel.shm*, fs.mqueue.*, …",
    ),
]
OomScoreAdj = Annotated[
    str,
    option(
        "--oom-score-adj",
        group=_RIGHTS,
        metavar="N",
        help_="Who is ended first where memory runs out: up to 1000; less than yours needs root.",
    ),
]
