"""From the words of `rootless build`'s options to a checked request.

What a RUN is run with is checked here where any of it was given, and made by the first RUN else:
a build of which everything is there already imports nothing of containers.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rootless.build.arguments import PREDEFINED
from rootless.build.named_contexts import named_contexts
from rootless.build.request import STANDARD_INPUT, BuildRequest
from rootless.errors import InvalidInput

if TYPE_CHECKING:
    from rootless.containers.request import RunRequest

_RUN = (
    *("network", "volume", "device", "add_host", "no_hosts", "dns", "dns_search", "dns_option"),
    *("group_add", "cap_add", "cap_drop", "security_opt", "ulimit", "shm_size"),
    *("userns", "uidmap", "gidmap", "root_emulation"),
    *("memory", "memory_swap", "cpus", "cpu_shares", "cpu_period", "cpu_quota"),
    *("cpuset_cpus", "cpuset_mems", "cgroup_parent"),
)
_URLS = ("http://", "https://", "git://", "git@", "github.com/", "ssh://")


def build_request(given: Mapping[str, Any]) -> BuildRequest:
    """Return the request; raises InvalidInput, NotFound.

    Args:
        given: The options' values as the command line has them, by parameter.
    """
    context = _context(given)
    _check(given, context)
    run_words = tuple(
        f"{name}={each}" for name in _RUN if given[name] for each in _several(given[name])
    )
    run = _run_request(given) if run_words else None
    return BuildRequest(
        context=context,
        containerfile=given["file"],
        tags=_tags(given["tag"] or ()),
        target=given["target"],
        build_args=_build_args(given),
        contexts=named_contexts(given["build_context"] or ()),
        base=given["from_"],
        labels=_pairs(given["label"], "label"),
        annotations=_pairs(given["annotation"], "annotation"),
        env=tuple(f"{name}={value}" for name, value in _variables(given["env"] or ())),
        unset_env=tuple(given["unsetenv"] or ()),
        unset_labels=tuple(given["unsetlabel"] or ()),
        secrets=tuple(given["secret"] or ()),
        ssh=tuple(given["ssh"] or ()),
        no_cache=given["no_cache"],
        squash=given["squash"],
        squash_all=given["squash_all"],
        epoch=_epoch(given["source_date_epoch"] or os.environ.get("SOURCE_DATE_EPOCH", "")),
        ignorefile=given["ignorefile"],
        jobs=_jobs(given["jobs"]),
        iidfile=given["iidfile"],
        run=(lambda: _run_request(given)) if run is None else (lambda: run),
        run_words=run_words,
    )


def _context(given: Mapping[str, Any]) -> str:
    words = given["context"] or ["."]
    if len(words) > 1:
        raise InvalidInput("more than one context", " ".join(words), "options have dashes")
    return str(words[0]) or "."


def _check(given: Mapping[str, Any], context: str) -> None:
    if given["form"] != "oci":
        fix = "images are kept as OCI has them; podman and docker run those"
        raise InvalidInput("no such format", given["form"], fix)
    if context.startswith(_URLS):
        fix = "clone it, or fetch the archive, and name the folder or the file"
        raise InvalidInput("a context is a folder or an archive here", context, fix)
    if given["file"] == STANDARD_INPUT and context == STANDARD_INPUT:
        raise InvalidInput("standard input cannot be both Containerfile and context", "-")
    if given["squash"] and given["squash_all"]:
        raise InvalidInput("--squash and --squash-all exclude each other")
    if given["output"]:
        from rootless.build.output import parse_output  # noqa: PLC0415 - few builds have one

        parse_output(given["output"])
    if given["secret"] or given["ssh"]:
        from rootless.build.secrets import parse_secrets, parse_ssh  # noqa: PLC0415 - few have

        parse_secrets(given["secret"] or (), os.environ)
        parse_ssh(given["ssh"] or (), os.environ)
    if given["platform"]:
        from rootless.oci.image_index import host_platform, parse_platform  # noqa: PLC0415

        wanted, own = parse_platform(given["platform"]), host_platform()
        if (wanted.os, wanted.architecture) != (own.os, own.architecture):
            fix = f"what is built here is for {own}"
            raise InvalidInput("cannot build for the platform", given["platform"], fix)


def _several(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _run_request(given: Mapping[str, Any]) -> "RunRequest":
    from rootless.cli.arguments import run_request  # noqa: PLC0415
    from rootless.cli.option_table import COMMANDS  # noqa: PLC0415

    defaults = {name: row[1] for name, row in COMMANDS["run"]["parameters"].items()}
    mine = {name: given[name] for name in _RUN}
    return run_request({**defaults, **mine, "words": ["build"]})[1]


def _tags(words: "list[str] | tuple[str, ...]") -> tuple[str, ...]:
    from rootless.image.names import name_for_storing  # noqa: PLC0415

    return tuple(dict.fromkeys(name_for_storing(word) for word in words))


def _build_args(given: Mapping[str, Any]) -> dict[str, str]:
    words: list[str] = []
    if given["build_arg_file"]:
        from rootless.bundle.environment import read_file  # noqa: PLC0415 - few have one

        words = [each for path in given["build_arg_file"] for each in read_file(path)]
    found = dict(_variables([*words, *(given["build_arg"] or ())]))
    if given["http_proxy"]:
        found = {name: os.environ[name] for name in PREDEFINED & os.environ.keys()} | found
    return found


def _variables(words: "list[str] | tuple[str, ...]") -> list[tuple[str, str]]:
    """Return NAME=VALUE pairs; a lone name has the value that it has here, if any."""
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not name:
            raise InvalidInput("a variable must have the form NAME[=VALUE]", word)
        if equals or name in os.environ:
            found.append((name, value if equals else os.environ[name]))
    return found


def _pairs(words: list[str] | None, what: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in words or ()]
    if any(not key for key, _, _ in pairs):
        raise InvalidInput(f"a {what} must have the form KEY=VALUE", "=")
    return {key: value for key, _, value in pairs}


def _epoch(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        raise InvalidInput("not a time", text, "seconds since 1970")
    return int(text)


def _jobs(text: str) -> int:
    if not text or text == "0":
        return os.cpu_count() or 1
    if not text.isascii() or not text.isdigit() or int(text[:6]) > 1000:
        raise InvalidInput("--jobs takes a number", text, "how many stages at the same time")
    return int(text)
