"""Image references: the grammar of the distribution project's reference package.

    reference := name [":" tag] ["@" digest]
    name      := [domain "/"] component ["/" component]*

The first component is a domain where it could not be a component, or holds a dot or a port, or is
`localhost`. `docker.io/debian` is short for `docker.io/library/debian`.
"""

import re
from dataclasses import dataclass, replace

from rootless.errors import InvalidInput
from rootless.oci.digest import Digest, parse_digest

DOCKER_HUB = "docker.io"
LOCALHOST = "localhost"
DEFAULT_TAG = "latest"
_MAX_NAME = 255

_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference; each part but the path may be empty.

    Attributes:
        domain: Registry host, with its port.
        path: Repository within the registry.
        tag: Tag.
        digest: Digest of a manifest or an image index.
    """

    domain: str
    path: str
    tag: str = ""
    digest: Digest | None = None

    @property
    def repository(self) -> str:
        """The name without tag and digest."""
        return f"{self.domain}/{self.path}" if self.domain else self.path

    def canonical(self, default_domain: str = LOCALHOST) -> "Reference":
        """Return the full form: a domain, `library/` where Docker Hub's, a tag unless a digest."""
        domain = self.domain or default_domain
        path = self.path
        if domain == "index.docker.io":
            domain = DOCKER_HUB
        if domain == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        tag = self.tag or ("" if self.digest else DEFAULT_TAG)
        return replace(self, domain=domain, path=path, tag=tag)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def parse_reference(text: str) -> Reference:
    """Read a reference; raises InvalidInput that says which part is wrong and how it must be."""
    rest, at, digest_text = text.partition("@")
    digest = parse_digest(digest_text) if at else None
    name, tag = _split_tag(rest)
    if tag is not None and not _TAG.fullmatch(tag):
        fix = "a tag is letters, digits, '_', '.', '-', at most 128, and begins with no '.' or '-'"
        raise InvalidInput("tag is not valid", text, fix)
    domain, path = _split_domain(name)
    if not path:
        raise InvalidInput("image name is empty", text or "''")
    if domain and not _DOMAIN.fullmatch(domain):
        raise InvalidInput("registry host is not valid", text)
    for component in path.split("/"):
        if not _COMPONENT.fullmatch(component):
            raise _component_fault(text, component)
    if len(name) > _MAX_NAME:
        raise InvalidInput("image name is too long", f"{text[:60]}…", f"at most {_MAX_NAME}")
    return Reference(domain, path, tag or "", digest)


def is_tag(text: str) -> bool:
    """Return whether *text* could be a tag."""
    return _TAG.fullmatch(text) is not None


def _split_tag(text: str) -> tuple[str, str | None]:
    """Split at the last colon unless it is a port's, before a slash."""
    head, colon, tail = text.rpartition(":")
    if not colon or "/" in tail:
        return text, None
    return head, tail


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    is_domain = "." in first or ":" in first or first == LOCALHOST or first.lower() != first
    return (first, rest) if slash and is_domain else ("", name)


def _component_fault(text: str, component: str) -> InvalidInput:
    if component.lower() != component and _COMPONENT.fullmatch(component.lower()):
        return InvalidInput("image name must be lower case", text, f"try {text.lower()}")
    fix = "words of lower-case letters and digits, joined by '.', '_', '__', '-' and '/'"
    return InvalidInput("image name is not valid", text, fix)
