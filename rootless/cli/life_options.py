"""The options of `run` and `create` that say how a container lives on."""

from typing import Annotated

from rootless.cli.option_groups import flag, option

_LIFE = "How it lives"

Detach = Annotated[
    bool, flag("--detach", "-d", group=_LIFE, help_="Leave it running, print its ID.")
]
Restart = Annotated[
    str,
    option(
        "--restart",
        group=_LIFE,
        metavar="POLICY",
        help_="no, on-failure[:N], always or unless-stopped.",
    ),
]
StopSignal = Annotated[
    str,
    option("--stop-signal", group=_LIFE, metavar="SIGNAL", help_="What `stop` sends; else TERM."),
]
StopTimeout = Annotated[
    str,
    option(
        "--stop-timeout",
        group=_LIFE,
        metavar="SECONDS",
        help_="How long `stop` waits before it kills; else 10.",
    ),
]
Label = Annotated[
    list[str] | None,
    option(*("--label", "-l"), group=_LIFE, metavar="KEY[=VALUE]", help_="A label, for filters."),
]
LabelFile = Annotated[
    list[str] | None,
    option("--label-file", group=_LIFE, metavar="FILE", help_="Labels, one a line."),
]
LogOpt = Annotated[
    list[str] | None,
    option(
        "--log-opt",
        group=_LIFE,
        metavar="KEY=VALUE",
        help_="max-size=SIZE, max-file=N: of its log; else 10m and 3.",
    ),
]
CIDFile = Annotated[
    str, option("--cidfile", group=_LIFE, metavar="FILE", help_="Write its ID to a new file.")
]
PIDFile = Annotated[
    str,
    option(
        "--pidfile", group=_LIFE, metavar="FILE", help_="Write its process ID, as the host has it."
    ),
]

_HEALTH = "Whether it is well"

HealthCmd = Annotated[
    str,
    option(
        "--health-cmd",
        group=_HEALTH,
        metavar="COMMAND|JSON",
        help_="In place of the image's check: for a shell, or words; none for no check.",
    ),
]
NoHealthcheck = Annotated[
    bool, flag("--no-healthcheck", group=_HEALTH, help_="Leave the image's check out.")
]
HealthInterval = Annotated[
    str,
    option("--health-interval", group=_HEALTH, metavar="TIME", help_="Between two; else 30s."),
]
HealthTimeout = Annotated[
    str,
    option("--health-timeout", group=_HEALTH, metavar="TIME", help_="Failed after it; else 30s."),
]
HealthStartPeriod = Annotated[
    str,
    option(
        "--health-start-period",
        group=_HEALTH,
        metavar="TIME",
        help_="Failures do not count so long; else 0s.",
    ),
]
HealthRetries = Annotated[
    str,
    option(
        "--health-retries",
        group=_HEALTH,
        metavar="N",
        help_="Failures in a row that make it unhealthy; else 3.",
    ),
]
