"""What a COPY or an ADD says, once variables are replaced."""

import posixpath
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from rootless.build.containerfile import Heredoc, Instruction
from rootless.build.expand import expand
from rootless.build.ignore import Ignore
from rootless.errors import InvalidInput

_CHMOD_MAX = 0o7777
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

    @property
    def normal_form(self) -> tuple[str, ...]:
        """All that the words say, for the key of a cache."""
        documents = [text for each in self.documents for text in (each.name, each.content)]
        return (
            *(self.keyword, self.destination, self.source_name, self.chown, str(self.chmod)),
            *(str(self.with_parents), str(self.unpack), self.checksum),
            *(str(len(self.excludes)), *self.excludes, str(len(self.sources)), *self.sources),
            *documents,
        )

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


def copy_words(instruction: Instruction, variables: Mapping[str, str]) -> CopyWords:
    """Return what an instruction says.

    Args:
        instruction: A COPY or an ADD.
        variables: The stage's.

    Raises:
        BuildError: Something in it means nothing.
    """
    try:
        return _words(instruction, variables)
    except InvalidInput as error:
        raise instruction.fault(error.what, error.on, error.fix) from error


def _words(instruction: Instruction, variables: Mapping[str, str]) -> CopyWords:
    def meant(text: str) -> str:
        return expand(text, variables, escape=instruction.escape)

    *words, destination = instruction.words
    documents = []
    marks = {_mark(document.name): document for document in instruction.heredocs}
    sources = []
    for word in words:
        document = marks.get(_mark(word.lstrip("0123456789").removeprefix("<<").lstrip("-")))
        if word.lstrip("0123456789").startswith("<<") and document is not None:
            documents.append(_document(document, instruction, variables))
            continue
        source = meant(word)
        if not source:
            raise InvalidInput("a source is empty", word)
        _check_source(instruction.keyword, source)
        sources.append(source)
    flags = {name: meant(value) for name, value in instruction.flags}
    excludes = tuple(meant(value) for name, value in instruction.flags if name == "exclude")
    Ignore.of(excludes, "")
    return CopyWords(
        keyword=instruction.keyword,
        sources=tuple(sources),
        documents=tuple(documents),
        destination=meant(destination),
        source_name=flags.get("from", ""),
        chown=flags.get("chown", ""),
        chmod=_mode(flags["chmod"]) if "chmod" in flags else None,
        excludes=excludes,
        with_parents=flags.get("parents") == "true",
        checksum=flags.get("checksum", ""),
        unpack=flags["unpack"] == "true" if "unpack" in flags else None,
    )


def _mark(word: str) -> str:
    return word.translate({ord(c): None for c in "'\"\\"})


def _document(
    document: Heredoc, instruction: Instruction, variables: Mapping[str, str]
) -> Heredoc:
    content = document.content
    if document.expand:
        content = expand(content, variables, escape=instruction.escape, keep_quotes=True)
    return Heredoc(document.name, content, expand=False)


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
