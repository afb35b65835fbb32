"""What is asked of a registry, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

JSON_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: HTTP's.
        path: Below the host, query included: `/v2/…`; or a whole URL that the registry gave.
        what: What it is about, for errors: "image", "blob".
        on: Of which one.
        scopes: Rights that it needs: `repository:PATH:pull`.
        headers: Fields.
        content: Gives the body, anew for each attempt.
        expected: Statuses that the caller deals with.
        is_moved: Whether a redirect for it holds for a while: a blob's, to a storage service.
    """

    method: str
    path: str
    what: str
    on: str
    scopes: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Callable[[], httpx.AsyncByteStream | bytes] | None = None
    expected: frozenset[int] = frozenset({200})
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response with a body that fits into memory."""

    status: int
    headers: httpx.Headers
    data: bytes
    url: httpx.URL
