"""The user of the workload, out of the image's own passwd(5) and group(5); pure."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rootless.errors import InvalidInput
from rootless.oci.document import HIGHEST_ID

if TYPE_CHECKING:
    from rootless.bundle.caller import HostUser


@dataclass(frozen=True, slots=True)
class ImageUser:
    """IDs as the container sees them.

    Attributes:
        uid: UID.
        gid: Primary GID.
        additional_gids: The groups that name the user as a member.
        home: Home directory, "/" where the image knows none.
        known: The image's passwd has the UID.
    """

    uid: int
    gid: int
    additional_gids: tuple[int, ...]
    home: str
    known: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A user or a group, as the image has it (passwd(5), group(5))."""

    name: str
    id: int
    gid: int
    home: str
    members: tuple[str, ...]


def _lines(data: bytes | None, fields: int) -> list[_Line]:
    """Return the lines that are well formed; an image's other lines concern nobody here."""
    found = []
    for line in (data or b"").decode("utf-8", "replace").split("\n"):
        parts = line.split(":")
        if len(parts) < fields or "\0" in line:
            continue
        passwd = fields > 4
        number, gid = _id(parts[2]), _id(parts[3]) if passwd else 0
        if number is None or gid is None:
            continue
        found.append(
            _Line(
                name=parts[0],
                id=number,
                gid=gid,
                home=parts[5] if passwd else "",
                members=() if passwd else tuple(filter(None, parts[3].split(","))),
            )
        )
    return found


def resolve_user(
    text: str, passwd: bytes | None, group: bytes | None, group_add: tuple[str, ...] = ()
) -> ImageUser:
    """Return who USER[:GROUP] is in an image with these files, None for a file that it lacks.

    As image-spec config.md has it: a lone UID takes its GID and groups from passwd and group,
    or 0 and none; an explicit group stands alone. Raises InvalidInput for an unknown name.
    """
    user_text, colon, group_text = text.partition(":")
    users, groups = _lines(passwd, 6), _lines(group, 4)
    line = _find(users, user_text or "0")
    if line is None and not _is_number(user_text or "0"):
        raise InvalidInput("no such user in the image's /etc/passwd", user_text, "give a number")
    uid = line.id if line is not None else _number(user_text or "0")
    gid = line.gid if line is not None else 0
    additional: list[int] = []
    if colon and group_text:
        gid = _group_id(groups, group_text)
    elif line is not None:
        additional = [g.id for g in groups if line.name in g.members and g.id != gid]
    additional += [_group_id(groups, name) for name in group_add]
    home = line.home if line is not None and line.home.startswith("/") else "/"
    return ImageUser(uid, gid, tuple(dict.fromkeys(additional)), home, line is not None)


def _find(lines: list[_Line], text: str) -> _Line | None:
    """A name wins over a number, as chown(1) has it."""
    by_name = next((line for line in lines if line.name == text), None)
    number = _id(text)
    if by_name is not None or number is None:
        return by_name
    return next((line for line in lines if line.id == number), None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _id(text: str) -> int | None:
    """Return an ID; None for what is none. -1, in 32 bits too, means "no change" to the kernel."""
    if not _is_number(text) or len(text.lstrip("0")) > len(str(HIGHEST_ID)):
        return None
    number = int(text)
    return number if number <= HIGHEST_ID else None


def _number(text: str) -> int:
    number = _id(text)
    if number is None:
        shown = text if len(text) <= 20 else f"{text[:20]}…"
        raise InvalidInput("not a user or group ID", shown, f"at most {HIGHEST_ID}")
    return number


def _group_id(groups: list[_Line], text: str) -> int:
    line = _find(groups, text)
    if line is not None:
        return line.id
    if not _is_number(text):
        raise InvalidInput("no such group in the image's /etc/group", text, "give a number")
    return _number(text)


def passwd_with(passwd: bytes, name: str, user: ImageUser) -> bytes:
    """Return the image's passwd with one more line, for a user whom the image does not know."""
    return _with_line(passwd, f"{name}:*:{user.uid}:{user.gid}:{name}:{user.home}:/bin/sh")


def group_with(group: bytes, name: str, gid: int) -> bytes:
    """Return the image's group with one more line; as it is where it has the name or the ID."""
    if any(line.id == gid or line.name == name for line in _lines(group, 4)):
        return group
    return _with_line(group, f"{name}:x:{gid}:")


def passwd_of_caller(passwd: bytes, user: "HostUser", shell: str = "/bin/sh") -> bytes:
    """Return the image's passwd with the caller first, by whom his UID and his name are found."""
    line = f"{user.name}:*:{user.uid}:{user.gid}:{user.name}:{user.home}:{shell}\n"
    return line.encode("utf-8", "surrogateescape") + passwd


def group_of_caller(group: bytes, user: "HostUser") -> bytes:
    """Return the image's group with the caller's first."""
    return f"{user.group}:x:{user.gid}:\n".encode("utf-8", "surrogateescape") + group


def _with_line(text: bytes, line: str) -> bytes:
    end = b"\n" if text and not text.endswith(b"\n") else b""
    return text + end + f"{line}\n".encode()
