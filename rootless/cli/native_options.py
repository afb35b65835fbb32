"""The options of `run` that make a command feel as if it ran on the host."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_NATIVE = "As if it ran on the host"

Native = Annotated[
    bool,
    flag(
        "--native",
        group=_NATIVE,
        help_="As you, in this folder, with your environment, terminal and time zone.",
    ),
]
Share = Annotated[
    list[str] | None,
    option(
        "--share",
        group=_NATIVE,
        metavar="WHAT",
        help_="With --native: home, cwd, tmp, which it is else, ssh-agent, git-config; none.",
    ),
]
