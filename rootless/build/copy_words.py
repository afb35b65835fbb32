"""What a COPY or an ADD says, once variables are replaced."""

import posixpath
import re
import stat
from dataclasses import dataclass
from urllib.parse import urlsplit

from rootless.build.containerfile import Heredoc, Instruction
from rootless.build.ignore import Ignore
from rootless.errors import InvalidInput
from rootless.oci.digest import parse_digest

_CHMOD_MAX = 0o7777
_HEREDOC = re.compile(r"\d*<<-?([^<]+)")
_URLS = ("http://", "https://")
_GIT = ("git://", "git@", "ssh://")


@dataclass(frozen=True, slots=True)
class CopyWords:
    """The words of one instruction.

    Attributes:
        keyword: COPY or ADD.
        sources: Paths, wildcards, addresses.
        documents: Here-documents, which are sources too.
        destination: As written; relative to the working directory.
        source_name: The stage or image of `--from`; "" for the context.
        chown: USER[:GROUP]; "" for as it is.
        chmod: Permissions; None for as they are.
        excludes: Patterns of `--exclude`.
        with_parents: The folders in which the sources lie are made, too.
        checksum: Digest that what is fetched must have; "" for any.
        unpack: Whether archives are unpacked; None for as is usual: by ADD those that are here.
    """

    keyword: str
    sources: tuple[str, ...]
    documents: tuple[Heredoc, ...]
    destination: str
    source_name: str = ""
    chown: str = ""
    chmod: int | None = None
    excludes: tuple[str, ...] = ()
    with_parents: bool = False
    checksum: str = ""
    unpack: bool | None = None

    @property
    def unpacks_files(self) -> bool:
        """Whether archives of the context are unpacked."""
        return self.keyword == "ADD" if self.unpack is None else self.unpack

    @property
    def addresses(self) -> tuple[str, ...]:
        """The sources that are fetched."""
        return tuple(word for word in self.sources if is_address(word))

    def target(self, workdir: str) -> tuple[str, bool]:
        """Return the destination, absolute, and whether it must be a folder by its form."""
        home = workdir or "/"
        path = posixpath.normpath(posixpath.join("/", home, self.destination))
        last = self.destination.rpartition("/")[2]
        by_form = last in ("", ".", "..") or path == posixpath.normpath(home)
        return path, by_form or len(self.sources) + len(self.documents) > 1 or self.with_parents


def is_address(word: str) -> bool:
    """Return whether a source is fetched from elsewhere."""
    return word.startswith(_URLS)


def copy_words(instruction: Instruction) -> CopyWords:
    """Return what a COPY or an ADD says, whose variables are replaced (`state.expanded`).

    Raises:
        BuildError: Something in it means nothing.
    """
    with instruction.blamed(InvalidInput):
        return _words(instruction)


def _words(instruction: Instruction) -> CopyWords:
    *words, destination = instruction.words
    documents = {document.name: document for document in instruction.heredocs}
    named = []
    sources = []
    for word in words:
        mark = _HEREDOC.fullmatch(word)
        if mark is not None and mark[1] in documents:
            named.append(documents[mark[1]])
            continue
        if not word:
            raise InvalidInput("a source is empty", instruction.source)
        _check_source(instruction.keyword, word)
        sources.append(word)
    flags = dict(instruction.flags)
    if "checksum" in flags and not (len(sources) == 1 and is_address(sources[0])):
        raise InvalidInput("--checksum is for a single address", instruction.source)
    checksum = parse_digest(flags["checksum"], "--checksum") if "checksum" in flags else ""
    excludes = tuple(value for name, value in instruction.flags if name == "exclude")
    Ignore.of(excludes)
    return CopyWords(
        keyword=instruction.keyword,
        sources=tuple(sources),
        documents=tuple(named),
        destination=destination,
        source_name=flags.get("from", ""),
        chown=flags.get("chown", ""),
        chmod=_mode(flags["chmod"]) if "chmod" in flags else None,
        excludes=excludes,
        with_parents=flags.get("parents") == "true",
        checksum=checksum,
        unpack=flags["unpack"] == "true" if "unpack" in flags else None,
    )


def _check_source(keyword: str, source: str) -> None:
    if source.startswith(_GIT) or (is_address(source) and _is_git(source)):
        raise InvalidInput("a git repository cannot be added", source, "clone it into the context")
    if is_address(source) and keyword == "COPY":
        raise InvalidInput("COPY fetches nothing", source, "ADD does")


def _is_git(source: str) -> bool:
    return urlsplit(source).path.endswith(".git")


def _mode(text: str) -> int:
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= _CHMOD_MAX or not text.isascii() or not text.isdigit():
        raise InvalidInput("not permissions", text, "--chmod=MODE, an octal number such as 644")
    return stat.S_IMODE(mode)
