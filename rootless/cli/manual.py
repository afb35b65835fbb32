"""The manual pages: the same declarations that --help shows, in man(7)'s macros."""

import re
from collections.abc import Iterator, Sequence

from rootless import __version__
from rootless.cli.declared import Declared, DeclaredCommand

_OTHERS = "Options"

_ABOUT = """\
.SH DESCRIPTION
Runs OCI container images as an ordinary user: no root, no daemon, no set-user-ID program.
An image is never unpacked: each layer is kept as one tar file beside one index, and a FUSE file
system serves the merged tree straight out of them.
"""

_PLACES = """\
.SH EXIT STATUS
That of the container's command where there is one; 125 when rootless failed, 126 or 127 when the
command could not be executed or found, 128+N when signal N ended it.
.SH ENVIRONMENT
.TP
.B ROOTLESS_HOME
The store; else
.IR $XDG_DATA_HOME/rootless ,
else
.IR \\(ti/.local/share/rootless .
.TP
.B ROOTLESS_SCRATCH
Where runs write; else
.I scratch
in the store.
.TP
.B ROOTLESS_ADDITIONAL_STORES
Stores to read beside one's own, parted by colons.
.TP
.B XDG_RUNTIME_DIR
Where records of what runs are; else
.IR /tmp/rootless\\-UID .
.SH FILES
.TP
.I \\(ti/.config/rootless/config.toml
Settings and profiles; those of the machine are in
.IR /etc/rootless/config.toml .
.TP
.I \\(ti/.config/rootless/aliases.toml
Commands that run in images.
.TP
.I .rootless.toml
Profiles of a project.
"""


def pages(command_line: DeclaredCommand, date: str) -> Iterator[tuple[str, str]]:
    """Yield each page's file name and text.

    Args:
        command_line: The whole command line.
        date: Of the pages, YYYY-MM-DD.
    """
    for command in command_line.walk():
        yield f"{page_name(command.path)}.1", _page(command, date)


def page_name(path: Sequence[str]) -> str:
    """Return the name of a command's page: `rootless-store-gc`."""
    return "-".join(("rootless", *path))


def _page(command: DeclaredCommand, date: str) -> str:
    name, words = page_name(command.path), ("rootless", *command.path)
    summary, _, more = command.help.partition("\n\n")
    summary = _line(summary).rstrip(".")
    summary = summary[:1].lower() + summary[1:]
    parts = [
        f'.TH {name.upper()} 1 "{date}" "rootless {__version__}" "User Commands"\n',
        f".SH NAME\n{_text(name)} \\- {_text(summary)}\n",
        f".SH SYNOPSIS\n.B {_text(' '.join(words))}\n{_text(command.usage)}\n",
        *_description(command, more),
        *_commands(command),
        *_options(command),
        *_examples(command.epilog),
        *([] if command.path else [_PLACES]),
        _see_also(command),
    ]
    return "".join(parts)


def _description(command: DeclaredCommand, more: str) -> Iterator[str]:
    if not command.path:
        yield _ABOUT
        return
    yield ".SH DESCRIPTION\n"
    paragraphs = [_line(command.help.partition("\n\n")[0]), *filter(None, more.split("\n\n"))]
    yield ".PP\n".join(f"{_text(_line(each))}\n" for each in paragraphs)
    for argument in command.arguments:
        if argument.metavar and argument.help:
            yield f".TP\n.I {_text(argument.metavar)}\n{_text(argument.help)}\n"


def _commands(command: DeclaredCommand) -> Iterator[str]:
    if command.commands:
        yield ".SH COMMANDS\n"
    for each in command.commands:
        means = _line(each.help.partition("\n\n")[0])
        yield f".TP\n.BR {_text(page_name(each.path))} (1)\n{_text(means)}\n"


def _options(command: DeclaredCommand) -> Iterator[str]:
    groups: dict[str, list[Declared]] = {}
    for option in command.options:
        groups.setdefault(option.group or _OTHERS, []).append(option)
    if groups:
        yield ".SH OPTIONS\n"
    for group, options in groups.items():
        if len(groups) > 1:
            yield f".SS {_text(group)}\n"
        for option in options:
            names = ", ".join(f"\\fB{_text(name)}\\fR" for name in option.names)
            value = f" \\fI{_text(option.metavar)}\\fR" if option.metavar else ""
            yield f".TP\n{names}{value}\n{_text(option.help)}\n"


def _examples(epilog: str) -> Iterator[str]:
    """Write the examples, a line each; what the epilog says beside them goes before."""
    lines = [line for line in epilog.replace("\b", "").splitlines() if line.strip()]
    examples = [line.strip() for line in lines if line.startswith(" ")]
    said = [line.strip() for line in lines if not line.startswith(" ") and line[-1:] != ":"]
    if said:
        yield f".PP\n{_text(' '.join(said))}\n"
    if examples:
        yield ".SH EXAMPLES\n.nf\n" + "".join(f"{_text(line)}\n" for line in examples) + ".fi\n"


def _see_also(command: DeclaredCommand) -> str:
    near = [page_name(command.path[:-1])] if command.path else ["rootless-run", "rootless-doctor"]
    return ".SH SEE ALSO\n" + ",\n".join(f".BR {_text(name)} (1)" for name in near) + "\n"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _text(text: str) -> str:
    """Return text as roff takes it: a hyphen that is typed stays one, no line is a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("~", "\\(ti")
    text = text.replace("^", "\\(ha").replace("`", "\\(ga").replace("…", "...")
    return f"\\&{text}" if text.startswith((".", "'")) else text
