"""The options of `run` about its network and its ports, as types for the command's signature."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_GROUP = "Network and names"

Network = Annotated[
    str,
    option(
        *("--network", "--net"),
        group=_GROUP,
        metavar="host|none|private|…",
        help_="host, the default; none; private, which is pasta or slirp4netns, options after "
        "a colon; container:NAME; ns:PATH.",
    ),
]
Publish = Annotated[
    list[str] | None,
    option(
        *("--publish", "-p"),
        group=_GROUP,
        metavar="[IP:][HOST]:CTR[/udp]",
        help_="Make a port, or a range, reachable from the host; the network is private then.",
    ),
]
PublishAll = Annotated[
    bool,
    flag(
        *("--publish-all", "-P"),
        group=_GROUP,
        help_="The same for each port of the image's EXPOSE and of --expose, on free ports.",
    ),
]
Expose = Annotated[
    list[str] | None,
    option(
        "--expose",
        group=_GROUP,
        metavar="PORT[-PORT][/udp]",
        help_="A port that it listens on, beside the image's: for --publish-all, and to be seen.",
    ),
]
