"""The options of `run` that stand for others: a profile's, or those of a command of the host."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_NATIVE = "Several options at once"

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
Profile = Annotated[
    list[str] | None,
    option(
        "--profile",
        group=_NATIVE,
        metavar="NAME",
        help_="Options from a profile; `rootless config --help` says where.",
    ),
]
