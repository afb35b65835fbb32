"""The options of `run` about IDs, as types for the command's signature."""

from typing import Annotated

from rootless.cli.option_groups import option

GROUP = "Users and IDs"

Userns = Annotated[
    str,
    option(
        "--userns",
        group=GROUP,
        metavar="host|keep-id|single",
        help_="ID map: you and your sub-IDs; you by your own ID; you alone.",
    ),
]
Uidmap = Annotated[
    list[str] | None,
    option(
        "--uidmap",
        group=GROUP,
        metavar="IN:FROM:LEN",
        help_="Map UIDs: FROM 0 is you, 1 your first sub-ID; @ID is the host's ID.",
    ),
]
Gidmap = Annotated[
    list[str] | None,
    option("--gidmap", group=GROUP, metavar="IN:FROM:LEN", help_="The same for GIDs."),
]
RootEmulation = Annotated[
    str,
    option(
        "--root-emulation",
        group=GROUP,
        metavar="auto|on|off",
        help_="Let chown, setuid and the like succeed without effect: by itself with one ID.",
    ),
]
