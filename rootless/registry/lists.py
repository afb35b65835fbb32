"""Lists that come in pages: tags and referrers. distribution-spec, "Content Discovery"."""

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

from rootless.errors import RegistryError
from rootless.oci.descriptor import Descriptor, parse_descriptor
from rootless.oci.digest import Digest
from rootless.oci.document import parse_document
from rootless.oci.reference import is_tag
from rootless.registry.call import Answer, Call
from rootless.registry.caller import Caller
from rootless.registry.failures import shown

_PAGE = 1000
_MAX_PAGES = 1000
_NEXT = re.compile(r'\s*<([^<>]*)>\s*;[^,]*\brel="?next"?')


async def tags(caller: Caller, limit: int, scopes: frozenset[str], on: str) -> list[str]:
    """Return the tags of a repository, at most *limit* where it is not 0."""
    page = min(limit, _PAGE) if limit else _PAGE
    call = Call(
        method="GET",
        path=f"/v2/{caller.endpoint.path}/tags/list?{urlencode({'n': page})}",
        what="repository in the registry",
        on=on,
        scopes=scopes,
    )
    found: list[str] = []

    def take(answer: Answer) -> bool:
        names = parse_document(answer.data, "list of tags").texts("tags")
        found.extend(name for name in names if is_tag(name))  # others could not be asked for
        return not limit or len(found) < limit

    await _pages(caller, call, take)
    return found[:limit] if limit else found


async def referrers(
    caller: Caller, digest: Digest, artifact_type: str, scopes: frozenset[str], on: str
) -> tuple[Descriptor, ...] | None:
    """Return what refers to a manifest; None where the registry does not have this API."""
    query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
    call = Call(
        method="GET",
        path=f"/v2/{caller.endpoint.path}/referrers/{digest}{query}",
        what="repository in the registry",
        on=on,
        scopes=scopes,
        expected=frozenset({200, 404}),
    )
    found: list[Descriptor] = []
    has_api = True

    def take(answer: Answer) -> bool:
        nonlocal has_api
        has_api = answer.status == 200
        if has_api:
            found.extend(parse_referrers(answer.data, artifact_type))
        return has_api

    await _pages(caller, call, take)
    return tuple(found) if has_api else None


def parse_referrers(data: bytes, artifact_type: str) -> tuple[Descriptor, ...]:
    """Read an index of referrers; a registry may not have filtered it, so it is filtered here."""
    node = parse_document(data, "list of referrers")
    return tuple(
        parse_descriptor(item)
        for item in node.members("manifests")
        if not artifact_type or item.text("artifactType") == artifact_type
    )


async def _pages(caller: Caller, call: Call, take: Callable[[Answer], bool]) -> None:
    """Hand over the pages of a list while *take* wants more, as far as their fields Link lead."""
    seen = {call.path}
    for _ in range(_MAX_PAGES):
        answer = await caller.document(call)
        path = _next(answer, call.on) if take(answer) else ""
        if not path:
            return
        if path in seen:
            raise RegistryError("registry gives the same page again", f"{call.on}: {path}")
        seen.add(path)
        call = replace(call, path=path)
    raise RegistryError(f"registry gives more than {_MAX_PAGES} pages", call.on)


def _next(answer: Answer, on: str) -> str:
    """Return the path of the page that follows, on the same host; empty for none."""
    link = _NEXT.match(answer.headers.get("link", ""))
    if link is None:
        return ""
    try:
        url = answer.url.join(link[1])
    except ValueError as error:
        raise RegistryError("registry gives no usable next page", on) from error
    if (url.scheme, url.netloc) != (answer.url.scheme, answer.url.netloc):
        raise RegistryError("registry gives a next page on another host", shown(url))
    return url.raw_path.decode("ascii")
