"""`rootless build`: the options, in the groups that its help shows."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from rootless.cli import actions, id_options, resource_options
from rootless.cli import registry_options as registries
from rootless.cli import signature_options as signatures
from rootless.cli.option_groups import GroupedCommand, flag, option

if TYPE_CHECKING:
    from typer._click.core import Context

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_Words = list[str]

_BUILD = "What is built"
_IMAGE = "The image"
_CACHE = "What is done again"
_SECRETS = "Secrets"
_RUN = "What a RUN may do"
_OTHER = "Accepted, as it is always so here"


class _BuildCommand(GroupedCommand):
    """Reads `--pull` with and without a value, and `=true` after a flag, as podman does."""

    optional: ClassVar = {"--pull": "always"}

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Parse, once each option has the form that the parser knows."""
        flags = {
            name: [*each.secondary_opts]
            for each in self.params
            if getattr(each, "is_flag", False)
            for name in each.opts
        }
        words: list[str] = []
        for position, word in enumerate(args):
            if word == "--":
                words += args[position:]
                break
            name, equals, value = word.partition("=")
            if name in flags and equals and value in ("true", "false"):
                words += [name] if value == "true" else flags[name]
            elif word in self.optional:
                words.append(f"{word}={self.optional[word]}")
            else:
                words.append(word)
        return super().parse_args(ctx, words)


@app.command(
    cls=_BuildCommand,
    options_metavar="[OPTIONS] [CONTEXT]",
    epilog="""\b
Examples:
  rootless build -t app .
  rootless build -f Containerfile.test --target test .
  rootless build --build-arg VERSION=3 --secret id=token,src=token.txt -t app .
  rootless build --source-date-epoch 0 -t app .    # the same bytes each time
  git archive HEAD | rootless build -t app -""",
)
def build(  # noqa: PLR0917 - one parameter an option
    context: Annotated[_Words | None, typer.Argument(hidden=True, metavar="")] = None,
    file: Annotated[
        str,
        option(
            *("--file", "-f"),
            group=_BUILD,
            metavar="FILE",
            help_="The Containerfile, - for standard input; else Containerfile or Dockerfile of "
            "the context.",
        ),
    ] = "",
    target: Annotated[
        str, option("--target", group=_BUILD, metavar="STAGE", help_="Build up to this stage.")
    ] = "",
    build_arg: Annotated[
        _Words | None,
        option(
            "--build-arg",
            group=_BUILD,
            metavar="NAME[=VALUE]",
            help_="Value of an ARG; without one, that of your variable.",
        ),
    ] = None,
    build_arg_file: Annotated[
        _Words | None,
        option("--build-arg-file", group=_BUILD, metavar="FILE", help_="The same, one a line."),
    ] = None,
    build_context: Annotated[
        _Words | None,
        option(
            "--build-context",
            group=_BUILD,
            metavar="NAME=FOLDER|docker-image://IMAGE",
            help_="What --from=NAME, or FROM NAME, means.",
        ),
    ] = None,
    from_: Annotated[
        str,
        option("--from", group=_BUILD, metavar="IMAGE", help_="In place of the first FROM's."),
    ] = "",
    ignorefile: Annotated[
        str,
        option(
            "--ignorefile",
            group=_BUILD,
            metavar="FILE",
            help_="In place of the context's .containerignore or .dockerignore.",
        ),
    ] = "",
    platform: Annotated[
        str,
        option("--platform", group=_BUILD, metavar="OS/ARCH", help_="The host's, or none."),
    ] = "",
    jobs: Annotated[
        str,
        option(
            "--jobs",
            group=_BUILD,
            metavar="N",
            help_="How many stages to build at the same time; else one a CPU.",
        ),
    ] = "",
    progress: Annotated[
        str,
        option(
            "--progress",
            group=_BUILD,
            metavar="auto|plain|tty",
            help_="auto: what moves on a terminal, lines elsewhere.",
        ),
    ] = "auto",
    quiet: Annotated[
        bool, flag("--quiet", "-q", group=_BUILD, help_="Print the image ID alone.")
    ] = False,
    tag: Annotated[
        _Words | None,
        option(
            *("--tag", "-t"),
            group=_IMAGE,
            metavar="NAME",
            help_="Name of the image; may be given again.",
        ),
    ] = None,
    label: Annotated[
        _Words | None,
        option("--label", group=_IMAGE, metavar="KEY=VALUE", help_="One more label."),
    ] = None,
    annotation: Annotated[
        _Words | None,
        option(
            "--annotation", group=_IMAGE, metavar="KEY=VALUE", help_="Annotation of the manifest."
        ),
    ] = None,
    env: Annotated[
        _Words | None,
        option("--env", group=_IMAGE, metavar="NAME[=VALUE]", help_="One more variable."),
    ] = None,
    unsetenv: Annotated[
        _Words | None,
        option("--unsetenv", group=_IMAGE, metavar="NAME", help_="Leave a variable out."),
    ] = None,
    unsetlabel: Annotated[
        _Words | None,
        option("--unsetlabel", group=_IMAGE, metavar="KEY", help_="Leave a label out."),
    ] = None,
    squash: Annotated[
        bool, flag("--squash", group=_IMAGE, help_="Make one layer of all that is new.")
    ] = False,
    squash_all: Annotated[
        bool, flag("--squash-all", group=_IMAGE, help_="Make one layer of everything.")
    ] = False,
    source_date_epoch: Annotated[
        str,
        option(
            *("--source-date-epoch", "--timestamp"),
            group=_IMAGE,
            metavar="SECONDS",
            help_="The time of the image, and the latest of its files: the same bytes each time. "
            "Else $SOURCE_DATE_EPOCH.",
        ),
    ] = "",
    output: Annotated[
        str,
        option(
            *("--output", "-o"),
            group=_IMAGE,
            metavar="FOLDER|-|type=local|tar,dest=PATH",
            help_="Write its files to a folder, as yours, or to a tar, too.",
        ),
    ] = "",
    iidfile: Annotated[
        str, option("--iidfile", group=_IMAGE, metavar="FILE", help_="Gets the image's ID.")
    ] = "",
    no_cache: Annotated[
        bool, flag("--no-cache", group=_CACHE, help_="Do every step, whatever is there.")
    ] = False,
    pull: Annotated[
        str,
        option(
            "--pull",
            group=_CACHE,
            metavar="missing|always|newer|never",
            help_="When to ask a registry for a base; missing, and always without a value.",
        ),
    ] = "",
    secret: Annotated[
        _Words | None,
        option(
            "--secret",
            group=_SECRETS,
            metavar="id=ID[,src=FILE|,env=NAME]",
            help_="For RUN --mount=type=secret.",
        ),
    ] = None,
    ssh: Annotated[
        _Words | None,
        option(
            "--ssh",
            group=_SECRETS,
            metavar="default|ID[=SOCKET]",
            help_="An agent for RUN --mount=type=ssh.",
        ),
    ] = None,
    network: Annotated[
        str,
        option(
            *("--network", "--net"), group=_RUN, metavar="host|none|private", help_="As for run."
        ),
    ] = "",
    volume: Annotated[
        _Words | None,
        option(
            *("--volume", "-v"),
            group=_RUN,
            metavar="SRC:DST[:OPTS]",
            help_="Bind a folder or file.",
        ),
    ] = None,
    http_proxy: Annotated[
        bool,
        flag(
            "--http-proxy/--no-http-proxy",
            group=_RUN,
            help_="Pass your variables http_proxy, https_proxy, no_proxy …, as is usual.",
        ),
    ] = True,
    device: Annotated[
        _Words | None,
        option("--device", group=_RUN, metavar="SRC[:DST]", help_="Pass a device node."),
    ] = None,
    add_host: Annotated[
        _Words | None,
        option("--add-host", group=_RUN, metavar="NAME:ADDRESS", help_="One more in /etc/hosts."),
    ] = None,
    no_hosts: Annotated[
        bool, flag("--no-hosts", group=_RUN, help_="Leave the image's /etc/hosts.")
    ] = False,
    dns: Annotated[
        _Words | None, option("--dns", group=_RUN, metavar="ADDRESS", help_="Name server.")
    ] = None,
    dns_search: Annotated[
        _Words | None,
        option("--dns-search", group=_RUN, metavar="DOMAIN", help_="Search domain; . for none."),
    ] = None,
    dns_option: Annotated[
        _Words | None,
        option("--dns-option", group=_RUN, metavar="WORD", help_="Option of resolv.conf(5)."),
    ] = None,
    group_add: Annotated[
        _Words | None, option("--group-add", group=_RUN, metavar="GROUP", help_="One more group.")
    ] = None,
    cap_add: Annotated[
        _Words | None,
        option("--cap-add", group=_RUN, metavar="CAP", help_="Add a capability, or ALL."),
    ] = None,
    cap_drop: Annotated[
        _Words | None,
        option("--cap-drop", group=_RUN, metavar="CAP", help_="Drop a capability, or ALL."),
    ] = None,
    security_opt: Annotated[
        _Words | None,
        option("--security-opt", group=_RUN, metavar="OPT", help_="As for run."),
    ] = None,
    ulimit: Annotated[
        _Words | None,
        option("--ulimit", group=_RUN, metavar="NAME=SOFT[:HARD]", help_="Resource limit."),
    ] = None,
    shm_size: Annotated[
        str, option("--shm-size", group=_RUN, metavar="SIZE", help_="Of /dev/shm; else 64m.")
    ] = "",
    userns: id_options.Userns = "",
    uidmap: id_options.Uidmap = None,
    gidmap: id_options.Gidmap = None,
    root_emulation: id_options.RootEmulation = "",
    memory: resource_options.Memory = "",
    memory_swap: resource_options.MemorySwap = "",
    cpus: resource_options.Cpus = "",
    cpu_shares: resource_options.CpuShares = "",
    cpu_period: resource_options.CpuPeriod = "",
    cpu_quota: resource_options.CpuQuota = "",
    cpuset_cpus: resource_options.CpusetCpus = "",
    cpuset_mems: resource_options.CpusetMems = "",
    cgroup_parent: resource_options.CgroupParent = "",
    authfile: registries.AuthFile = "",
    cert_dir: registries.CertDir = "",
    creds: registries.Creds = "",
    tls_verify: registries.TLSVerify = "",
    retry: registries.Retry = "",
    retry_delay: registries.RetryDelay = "",
    verify_key: signatures.VerifyKey = None,
    signature_policy: signatures.SignaturePolicy = "",
    layers: Annotated[
        bool, flag("--layers", group=_OTHER, help_="A step's layer is kept for the next build.")
    ] = False,
    remove: Annotated[bool, flag("--rm", group=_OTHER, help_="No container stays.")] = False,
    force_rm: Annotated[
        bool, flag("--force-rm", group=_OTHER, help_="Nor after a failure.")
    ] = False,
    skip_unused_stages: Annotated[
        bool, flag("--skip-unused-stages", group=_OTHER, help_="Only what is needed is built.")
    ] = False,
    form: Annotated[
        str, option("--format", group=_OTHER, metavar="oci", help_="The only one there is.")
    ] = "oci",
    isolation: Annotated[
        str, option("--isolation", group=_OTHER, metavar="TYPE", help_="A RUN is run as by `run`.")
    ] = "",
) -> None:
    """Build an image of a Containerfile, without a daemon, and print its ID.

    CONTEXT is the folder whose files the Containerfile may copy, the current one by default; an
    archive of one; or - for an archive, or a lone Containerfile, on standard input.
    """
    actions.build(locals())
