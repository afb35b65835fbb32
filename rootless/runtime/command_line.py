"""The command line of runc, which engines drive a runtime by: `rootless-runtime [OPTIONS] VERB …`.

Parse, call, print: a verb is its own module, imported when it is asked for.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from rootless import __version__
from rootless.errors import InvalidInput, RootlessError
from rootless.linux.private_folder import make_private
from rootless.oci.state import STATE_VERSION
from rootless.paths import Paths
from rootless.runtime import report

_PROGRAM = "rootless-runtime"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps lines, as the version has two, and says `Usage` as the other commands do."""

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        super().add_usage(usage, actions, groups, "Usage: " if prefix is None else prefix)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InvalidInput(message, "", f"see '{self.prog} --help'")


def main(
    arguments: Sequence[str],
    program: str = _PROGRAM,
    write_spec: Callable[[Path, bool], None] | None = None,
) -> int:
    """Run the command line; return the exit status.

    `write_spec` writes the config.json of `spec` into a folder, for the caller or for root; what
    stands in one is decided by a layer above.
    """
    try:
        options = _parser(program).parse_args(arguments)
        options.write_spec = write_spec
        if getattr(options, "preserve_fds", 0):
            from rootless.runtime.process import check_preserved  # noqa: PLC0415

            check_preserved(options.preserve_fds)  # the log would be one of them
    except InvalidInput as error:
        report.configure("", "text", debug=False)
        report.say(error)
        return error.exit_status
    try:
        report.configure(options.log, options.log_format, debug=options.debug)
        status: int = options.call(options) or 0
        sys.stdout.flush()
    except RootlessError as error:
        report.say(error)
        return error.exit_status
    except OSError as error:
        on = str(error.filename) if error.filename else ""
        report.say(RootlessError(error.strerror or str(error), on))
        return RootlessError.exit_status
    return status


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program,
        usage=f"{program} [OPTIONS] VERB ...",
        formatter_class=_Formatter,
        description="An OCI runtime for ordinary users, with runc's command line: what podman and\n"
        "conmon drive. A container is made of a bundle: a folder with config.json and a\n"
        "root file system.",
        epilog="To run an image use 'rootless run'. Example:\n"
        f"  {program} create --bundle DIR ID && {program} start ID",
    )
    version = f"{_PROGRAM} version {__version__}\nspec: {STATE_VERSION}"
    parser.add_argument(
        "-v", "--version", action="version", version=version, help="print the versions"
    )
    parser.add_argument("--root", type=Path, help="folder of the containers' state")
    parser.add_argument("--log", default="", metavar="FILE", help="write warnings and errors there")
    parser.add_argument("--log-format", default="text", help="text (the default) or json")
    parser.add_argument("--log-level", default="", help=argparse.SUPPRESS)
    parser.add_argument("--debug", action="store_true", help="log decisions as well")
    parser.add_argument(
        "--systemd-cgroup", action="store_true", help="make the cgroup a scope of systemd"
    )
    parser.add_argument(
        "--cgroup-manager",
        default="cgroupfs",
        choices=("cgroupfs", "systemd", "disabled"),
        metavar="NAME",
        help="cgroupfs, systemd or disabled, in crun's words; podman asks for none by it",
    )
    parser.add_argument("--rootless", default="", help=argparse.SUPPRESS)
    verbs = parser.add_subparsers(prog=program, metavar="VERB", required=True, parser_class=_Parser)
    _add_verbs(verbs)
    return parser


def _add_verbs(verbs: Any) -> None:
    _add_create(verbs)
    for name, call, words in (
        ("start", _start, "start a created container"),
        ("state", _state, "print a container's state as JSON"),
        ("pause", _pause, "stop all processes of a container"),
        ("resume", _resume, "let a paused container go on"),
    ):
        _add(verbs, name, call, words).add_argument("id", metavar="ID")
    _add_kill(verbs)
    delete = _add(verbs, "delete", _delete, "remove a stopped container")
    delete.add_argument("id", metavar="ID")
    delete.add_argument("-f", "--force", action="store_true", help="kill it first if it runs")
    listing = _add(verbs, "list", _list, "list the containers")
    listing.add_argument("-q", "--quiet", action="store_true", help="print the IDs only")
    listing.add_argument("-f", "--format", default="table", help="table (the default) or json")
    _add_exec(verbs)
    processes = _add(verbs, "ps", _ps, "list a container's processes")
    processes.add_argument("-f", "--format", default="table", help="table (the default) or json")
    processes.add_argument("id", metavar="ID")
    template = _add(verbs, "spec", _spec, "write a config.json to start from")
    template.add_argument("-b", "--bundle", type=Path, default=Path(), help="into this folder")
    template.add_argument(
        "--rootless", dest="for_caller", action="store_true", help="for your own user namespace"
    )
    _add(verbs, "features", _features, "print what this runtime can do, as JSON")


def _add(verbs: Any, name: str, call: Any, words: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=words, description=words.capitalize() + "."
    )
    parser.set_defaults(call=call)
    return parser


def _add_create(verbs: Any) -> None:
    for name, call, words in (
        ("create", _create, "create a container; it waits to be started"),
        ("run", _run, "create and start a container, wait for its end and delete it"),
    ):
        parser = _add(verbs, name, call, words)
        parser.add_argument("-b", "--bundle", type=Path, default=Path(), help="the bundle's folder")
        _add_process_options(parser)
        parser.add_argument("--no-pivot", action="store_true", help="ignored: pivot_root is used")
        parser.add_argument("--no-new-keyring", action="store_true", help=argparse.SUPPRESS)
        parser.add_argument("id", metavar="ID")


def _add_process_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pid-file", default="", metavar="FILE", help="write the process ID there")
    parser.add_argument(
        "--console-socket", default="", metavar="SOCKET", help="unix socket that takes the terminal"
    )
    parser.add_argument(
        "--preserve-fds", type=int, default=0, metavar="N", help="pass N descriptors from 3 on"
    )


def _add_kill(verbs: Any) -> None:
    parser = _add(verbs, "kill", _kill, "send a signal to a container")
    parser.add_argument("-a", "--all", action="store_true", help="to all of its processes")
    parser.add_argument("id", metavar="ID")
    parser.add_argument("signal", metavar="SIGNAL", nargs="?", default="TERM", help="TERM if left")


def _add_exec(verbs: Any) -> None:
    parser = _add(verbs, "exec", _exec, "run another process in a running container")
    parser.add_argument(
        "-p", "--process", default="", metavar="FILE", help="JSON of the process (config.md)"
    )
    parser.add_argument("--cwd", default="", help="its working directory")
    parser.add_argument("-e", "--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("-t", "--tty", action="store_true", help="give it a terminal")
    parser.add_argument("-u", "--user", default="", metavar="UID[:GID]")
    parser.add_argument("-g", "--additional-gids", action="append", default=[], type=int)
    parser.add_argument("-c", "--cap", action="append", default=[], help="give it a capability")
    parser.add_argument("--no-new-privs", action="store_true")
    parser.add_argument("-d", "--detach", action="store_true", help="do not wait for it")
    _add_process_options(parser)
    parser.add_argument("id", metavar="ID")
    parser.add_argument("args", metavar="COMMAND", nargs=argparse.REMAINDER)


def _root(options: argparse.Namespace) -> Path:
    if options.root is not None:
        return Path(options.root).absolute()
    runtime = Paths.from_environment().runtime
    make_private(runtime)  # it may lie in a shared /tmp
    return runtime / "oci"


def _create_request(options: argparse.Namespace) -> Any:
    from rootless.runtime.create import CreateRequest  # noqa: PLC0415 - each verb imports its own

    return CreateRequest(
        root=_root(options),
        id=options.id,
        bundle=options.bundle,
        pid_file=options.pid_file,
        console_socket=options.console_socket,
        preserve_fds=options.preserve_fds,
        cgroup=options.cgroup_manager != "disabled",
        systemd_cgroup=options.systemd_cgroup or options.cgroup_manager == "systemd",
    )


def _create(options: argparse.Namespace) -> None:
    from rootless.runtime.create import create  # noqa: PLC0415

    create(_create_request(options))


def _run(options: argparse.Namespace) -> int:
    from rootless.runtime.run import run  # noqa: PLC0415

    return run(_create_request(options))


def _start(options: argparse.Namespace) -> None:
    from rootless.runtime.start import start  # noqa: PLC0415

    start(_root(options), options.id)


def _state(options: argparse.Namespace) -> None:
    from rootless.runtime.list import Listed  # noqa: PLC0415
    from rootless.runtime.status_file import StateFolder  # noqa: PLC0415

    with StateFolder.open(_root(options), options.id) as folder:
        record = folder.record()
        found = Listed(folder.state(record), record)
    _print(found.to_document())


def _kill(options: argparse.Namespace) -> None:
    from rootless.runtime.kill import kill, parse_signal  # noqa: PLC0415

    kill(_root(options), options.id, parse_signal(options.signal), everyone=options.all)


def _delete(options: argparse.Namespace) -> None:
    from rootless.runtime.delete import delete  # noqa: PLC0415

    delete(_root(options), options.id, force=options.force)


def _list(options: argparse.Namespace) -> None:
    from rootless.runtime.list import containers  # noqa: PLC0415

    found = list(containers(_root(options)))
    if options.quiet:
        for item in found:
            print(item.state.id)  # noqa: T201 - the answer
    elif options.format == "json":
        _print([item.to_document() for item in found])
    elif options.format == "table":
        _print_table(
            ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"), [item.row() for item in found]
        )
    else:
        raise InvalidInput("unknown format", options.format, "table or json")


def _pause(options: argparse.Namespace) -> None:
    from rootless.runtime.pause import pause  # noqa: PLC0415

    pause(_root(options), options.id)


def _resume(options: argparse.Namespace) -> None:
    from rootless.runtime.pause import resume  # noqa: PLC0415

    resume(_root(options), options.id)


def _exec(options: argparse.Namespace) -> int:
    from rootless.runtime.exec import ExecRequest, execute  # noqa: PLC0415
    from rootless.runtime.exec_process import ProcessWords, process_for  # noqa: PLC0415
    from rootless.runtime.sealed_program import seal_own_program  # noqa: PLC0415

    seal_own_program()
    words = ProcessWords(
        args=tuple(options.args),
        file=options.process,
        cwd=options.cwd,
        env=tuple(options.env),
        terminal=options.tty,
        user=options.user,
        additional_gids=tuple(options.additional_gids),
        capabilities=tuple(options.cap),
        no_new_privileges=options.no_new_privs,
    )
    root = _root(options)
    request = ExecRequest(
        process_for(root, options.id, words),
        options.detach,
        options.pid_file,
        options.console_socket,
        options.preserve_fds,
    )
    return execute(root, options.id, request)


def _ps(options: argparse.Namespace) -> None:
    from rootless.runtime.processes import described  # noqa: PLC0415
    from rootless.runtime.status_file import StateFolder  # noqa: PLC0415

    with StateFolder.open(_root(options), options.id) as folder:
        pid = folder.state().pid
    found = list(described(pid)) if pid else []
    if options.format == "json":
        _print([process.pid for process in found])
    elif options.format == "table":
        rows = [(str(p.pid), str(p.pid_inside), str(p.uid), p.command) for p in found]
        _print_table(("PID", "PID INSIDE", "UID", "COMMAND"), rows)
    else:
        raise InvalidInput("unknown format", options.format, "table or json")


def _spec(options: argparse.Namespace) -> None:
    if options.write_spec is None:
        raise InvalidInput("this program has no template of a config.json")
    options.write_spec(options.bundle, options.for_caller)


def _features(options: argparse.Namespace) -> None:
    from rootless.runtime.features import features  # noqa: PLC0415

    del options
    _print(features())


def _print(document: Any) -> None:
    print(json.dumps(document, indent=2))  # noqa: T201 - the answer


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())  # noqa: T201 - the answer
