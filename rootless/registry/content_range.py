"""Which part of a blob an answer is: the field Content-Range, RFC 9110 section 14.4 (pure)."""

import re

import httpx

from rootless.errors import IntegrityError, RegistryError

_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


def check_range(response: httpx.Response, wanted: tuple[int, int], size: int, on: str) -> None:
    """Check that a response of status 206 is the part of a blob that was asked for.

    Args:
        response: The response.
        wanted: First and last byte.
        size: Of the whole blob.
        on: The blob, for errors.

    Raises:
        RegistryError: It is another part.
        IntegrityError: The blob has another size.
    """
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    if response.status_code != 206 or match is None:
        raise RegistryError("registry sends another part of a blob than it was asked for", on)
    first, last, total = match.groups()
    if total not in ("*", str(size)):
        raise IntegrityError(f"blob has {total} bytes, not {size}", on)
    length = response.headers.get("content-length", "")
    if (int(first), int(last)) != wanted or length not in ("", str(wanted[1] - wanted[0] + 1)):
        what = f"registry sends bytes {first}-{last} of a blob, not {wanted[0]}-{wanted[1]}"
        raise RegistryError(what, on)
