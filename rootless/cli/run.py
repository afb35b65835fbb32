"""`rootless run`: the options, in the groups that its help shows."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import Annotated

import typer

from rootless.cli import actions, hpc_options, id_options, native_options, resource_options
from rootless.cli import life_options as life
from rootless.cli import network_options as networks
from rootless.cli import process_options as process
from rootless.cli import signature_options as signatures
from rootless.cli.option_groups import GroupedCommand, flag, option

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_Words = list[str]

_COMMAND = "The command"
_IMAGE = "Where the image comes from"
_FILES = "Files of yours inside"
_ROOT = "The root file system, and what is kept of it"
_NETWORK = "Network and names"
_IDS = "Users and IDs"
_RIGHTS = "Rights and limits"


@app.command(
    cls=GroupedCommand,
    options_metavar="[OPTIONS] IMAGE [COMMAND [ARGUMENT]...]",
    context_settings={"allow_interspersed_args": False, "help_option_names": ["--help"]},
    epilog="""\b
Examples:
  rootless run debian cat /etc/os-release
  rootless run -it debian bash
  rootless run -v .:/work -w /work debian make
  rootless run --native node:22 npm test      # as if it were installed here
  rootless run --profile test                 # options by a name of yours
  rootless run --name dev -it debian bash     # what it writes stays
  rootless run -d --name web debian sleep 60  # it lives on: ps, logs, stop
  rootless run --bundle ./bundle""",
)
def run(  # noqa: PLR0917 - one parameter an option
    words: Annotated[_Words | None, typer.Argument(hidden=True, metavar="")] = None,
    interactive: Annotated[
        bool, flag("--interactive", "-i", group=_COMMAND, help_="Pass standard input.")
    ] = False,
    tty: Annotated[
        bool, flag("--tty", "-t", group=_COMMAND, help_="Give the command a terminal.")
    ] = False,
    env: Annotated[
        _Words | None,
        option(
            *("--env", "-e"),
            group=_COMMAND,
            metavar="NAME[=VALUE]",
            help_="Set a variable, or pass yours; NAME* passes several.",
        ),
    ] = None,
    env_file: Annotated[
        _Words | None,
        option("--env-file", group=_COMMAND, metavar="FILE", help_="Variables, one a line."),
    ] = None,
    env_host: process.EnvHost = False,
    unsetenv: process.Unsetenv = None,
    unsetenv_all: process.UnsetenvAll = False,
    tz: process.Tz = "",
    workdir: Annotated[
        str,
        option(
            *("--workdir", "-w"),
            group=_COMMAND,
            metavar="DIR",
            help_="Working directory inside; made if missing.",
        ),
    ] = "",
    entrypoint: Annotated[
        str | None,
        option(
            "--entrypoint",
            group=_COMMAND,
            metavar="WORD|JSON",
            help_='In place of the image\'s: a program, or ["program","argument"]; "" for none.',
        ),
    ] = None,
    init: Annotated[
        bool,
        flag("--init", group=_COMMAND, help_="Always so: PID 1 reaps and forwards signals."),
    ] = False,
    native: native_options.Native = False,
    share: native_options.Share = None,
    profile: native_options.Profile = None,
    bundle: Annotated[
        str,
        option(
            *("--bundle", "-b"),
            group=_COMMAND,
            metavar="DIR|FILE.tar",
            help_="Run an OCI bundle in place of an image.",
        ),
    ] = "",
    pull: Annotated[
        str,
        option(
            "--pull",
            group=_IMAGE,
            metavar="missing|always|newer|never",
            help_="When to ask a registry for the image; missing by default.",
        ),
    ] = "",
    platform: Annotated[
        str,
        option(
            "--platform",
            group=_IMAGE,
            metavar="OS/ARCH[/VARIANT]",
            help_="Which image of a multi-platform index.",
        ),
    ] = "",
    tls_verify: Annotated[
        str,
        option(
            "--tls-verify",
            group=_IMAGE,
            metavar="true|false",
            help_="Insist on HTTPS with a good certificate; else as registries.conf says.",
        ),
    ] = "",
    authfile: Annotated[
        str, option("--authfile", group=_IMAGE, metavar="FILE", help_="Where credentials are.")
    ] = "",
    lazy: Annotated[
        str,
        option(
            "--lazy",
            group=_IMAGE,
            metavar="auto|never",
            help_="auto: start before all of a pulled image is here, where it can be had in parts.",
        ),
    ] = "",
    quiet: Annotated[
        bool, flag("--quiet", "-q", group=_IMAGE, help_="Show no progress of a pull.")
    ] = False,
    verify_key: signatures.VerifyKey = None,
    signature_policy: signatures.SignaturePolicy = "",
    volume: Annotated[
        _Words | None,
        option(
            *("--volume", "-v"),
            group=_FILES,
            metavar="SRC:DST[:OPTS]",
            help_="Bind a folder or file; OPTS as ro,rslave,noexec.",
        ),
    ] = None,
    mount: Annotated[
        _Words | None,
        option(
            "--mount",
            group=_FILES,
            metavar="type=bind,src=SRC,dst=DST",
            help_="The same by keywords; also type=tmpfs.",
        ),
    ] = None,
    tmpfs: Annotated[
        _Words | None,
        option("--tmpfs", group=_FILES, metavar="DST[:OPTS]", help_="Mount memory at DST."),
    ] = None,
    volumes_from: process.VolumesFrom = None,
    device: Annotated[
        _Words | None,
        option(
            "--device",
            group=_FILES,
            metavar="SRC[:DST]|CDI",
            help_="Pass a device node, or what CDI calls vendor.com/class=name.",
        ),
    ] = None,
    name: Annotated[
        str,
        option("--name", group=_ROOT, metavar="NAME", help_="Keep what it writes, for the next."),
    ] = "",
    replace: Annotated[
        bool, flag("--replace", group=_ROOT, help_="With --name: start afresh.")
    ] = False,
    remove: Annotated[bool, flag("--rm", group=_ROOT, help_="Remove it when it ends.")] = False,
    overlay: Annotated[
        str,
        option("--overlay", group=_ROOT, metavar="DIR", help_="Keep what it writes in DIR."),
    ] = "",
    read_only: Annotated[
        bool, flag("--read-only", group=_ROOT, help_="Make the root file system read-only.")
    ] = False,
    read_only_tmpfs: Annotated[
        bool | None,
        flag(
            "--read-only-tmpfs/--no-read-only-tmpfs",
            group=_ROOT,
            help_="With --read-only: /run, /tmp and /var/tmp are writable, which they are.",
        ),
    ] = None,
    overlay_driver: Annotated[
        str,
        option(
            "--overlay-driver",
            group=_ROOT,
            metavar="auto|hybrid|fuse",
            help_="Who does the copy-on-write; auto takes what works.",
        ),
    ] = "auto",
    detach: life.Detach = False,
    attach: process.Attach = None,
    sig_proxy: process.SigProxy = "",
    restart: life.Restart = "",
    stop_signal: life.StopSignal = "",
    stop_timeout: life.StopTimeout = "",
    label: life.Label = None,
    label_file: life.LabelFile = None,
    log_opt: life.LogOpt = None,
    cidfile: life.CIDFile = "",
    pidfile: life.PIDFile = "",
    health_cmd: life.HealthCmd = "",
    no_healthcheck: life.NoHealthcheck = False,
    health_interval: life.HealthInterval = "",
    health_timeout: life.HealthTimeout = "",
    health_start_period: life.HealthStartPeriod = "",
    health_retries: life.HealthRetries = "",
    network: networks.Network = "",
    publish: networks.Publish = None,
    publish_all: networks.PublishAll = False,
    expose: networks.Expose = None,
    hostname: Annotated[
        str, option("--hostname", "-h", group=_NETWORK, metavar="NAME", help_="Host name inside.")
    ] = "",
    add_host: Annotated[
        _Words | None,
        option(
            "--add-host",
            group=_NETWORK,
            metavar="NAME:ADDRESS",
            help_="One more in /etc/hosts; host-gateway is the host's address.",
        ),
    ] = None,
    no_hosts: Annotated[
        bool, flag("--no-hosts", group=_NETWORK, help_="Leave the image's /etc/hosts.")
    ] = False,
    dns: Annotated[
        _Words | None,
        option(
            "--dns",
            group=_NETWORK,
            metavar="ADDRESS",
            help_="Name server for the host's; none leaves the image's file.",
        ),
    ] = None,
    dns_search: Annotated[
        _Words | None,
        option(
            "--dns-search", group=_NETWORK, metavar="DOMAIN", help_="Search domain; . for none."
        ),
    ] = None,
    dns_option: Annotated[
        _Words | None,
        option(
            *("--dns-option", "--dns-opt"),
            group=_NETWORK,
            metavar="WORD",
            help_="Option of resolv.conf(5).",
        ),
    ] = None,
    user: Annotated[
        str,
        option(
            *("--user", "-u"),
            group=_IDS,
            metavar="USER[:GROUP]",
            help_="Who runs the command: names of the image, or numbers.",
        ),
    ] = "",
    group_add: Annotated[
        _Words | None,
        option(
            "--group-add",
            group=_IDS,
            metavar="GROUP",
            help_="One more group; keep-groups keeps yours.",
        ),
    ] = None,
    userns: id_options.Userns = "",
    uidmap: id_options.Uidmap = None,
    gidmap: id_options.Gidmap = None,
    root_emulation: id_options.RootEmulation = "",
    pid: Annotated[
        str,
        option(
            "--pid",
            group=_RIGHTS,
            metavar="private|host|container:NAME",
            help_="Processes that it is among: its own, the default; yours; another's.",
        ),
    ] = "",
    privileged: process.Privileged = False,
    cap_add: Annotated[
        _Words | None,
        option("--cap-add", group=_RIGHTS, metavar="CAP", help_="Add a capability, or ALL."),
    ] = None,
    cap_drop: Annotated[
        _Words | None,
        option("--cap-drop", group=_RIGHTS, metavar="CAP", help_="Drop a capability, or ALL."),
    ] = None,
    security_opt: Annotated[
        _Words | None,
        option(
            "--security-opt",
            group=_RIGHTS,
            metavar="OPT",
            help_="seccomp=FILE|unconfined; no-new-privileges=false lets set-ID programs work.",
        ),
    ] = None,
    ulimit: Annotated[
        _Words | None,
        option(
            "--ulimit",
            group=_RIGHTS,
            metavar="NAME=SOFT[:HARD]",
            help_="Resource limit: nofile=1024, core=0.",
        ),
    ] = None,
    umask: Annotated[
        str, option("--umask", group=_RIGHTS, metavar="MODE", help_="File mode mask; else 0022.")
    ] = "",
    shm_size: Annotated[
        str, option("--shm-size", group=_RIGHTS, metavar="SIZE", help_="Of /dev/shm; else 64m.")
    ] = "",
    annotation: Annotated[
        _Words | None,
        option(
            "--annotation",
            group=_RIGHTS,
            metavar="KEY=VALUE",
            help_="Annotation of the bundle, for hooks and tools.",
        ),
    ] = None,
    sysctl: process.Sysctl = None,
    oom_score_adj: process.OomScoreAdj = "",
    hpc: hpc_options.Hpc = False,
    gpus: hpc_options.Gpus = None,
    ipc: hpc_options.Ipc = "",
    memory: resource_options.Memory = "",
    memory_swap: resource_options.MemorySwap = "",
    memory_reservation: resource_options.MemoryReservation = "",
    cpus: resource_options.Cpus = "",
    cpu_shares: resource_options.CpuShares = "",
    cpu_period: resource_options.CpuPeriod = "",
    cpu_quota: resource_options.CpuQuota = "",
    cpuset_cpus: resource_options.CpusetCpus = "",
    cpuset_mems: resource_options.CpusetMems = "",
    pids_limit: resource_options.PidsLimit = "",
    blkio_weight: resource_options.BlkioWeight = "",
    cgroups: resource_options.Cgroups = "",
    cgroup_parent: resource_options.CgroupParent = "",
    strict_resources: resource_options.StrictResources = False,
) -> int:
    """Run a command in an image, as an ordinary user, without unpacking it.

    What it writes goes when it ends, unless --name, --detach, --overlay or a volume keeps it. The
    exit status is the command's own; 125 when rootless failed, 126 or 127 when the command could
    not be executed or found, 128+N when signal N ended it.
    """
    return actions.run(locals())
