"""The options of `run` about a node and its devices, as types for the command's signature."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_GROUP = "Batch jobs and GPUs"

Hpc = Annotated[
    bool,
    flag(
        "--hpc",
        group=_GROUP,
        help_="As a batch job wants it: you, your folders and variables, the node's network, "
        "processes and IPC.",
    ),
]
Gpus = Annotated[
    list[str] | None,
    option(
        "--gpus",
        group=_GROUP,
        metavar="all|N|device=…",
        help_="All GPUs, so many, or those by number or UUID: by CDI, or the driver's files.",
    ),
]
Ipc = Annotated[
    str,
    option(
        "--ipc",
        group=_GROUP,
        metavar="private|host",
        help_="Shared memory and message queues: its own, the default; the host's.",
    ),
]
