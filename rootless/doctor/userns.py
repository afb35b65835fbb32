"""Check `userns`: an unprivileged user namespace can be made, and mounts are allowed in it.

Making one is not enough: under Ubuntu's AppArmor restriction it can be made and is then worth
nothing, for the first mount is refused.
"""

import errno
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rootless.doctor.attempt import attempt, mount_tmpfs
from rootless.doctor.check import Check, State
from rootless.errors import Precondition, RootlessError
from rootless.userns.restriction import Surroundings, find_restriction
from rootless.userns.subid import Caller


@dataclass(frozen=True, slots=True)
class UsernsFacts:
    """What was found.

    Attributes:
        around: The settings that decide.
        refused: What the attempt ended with; None where it worked.
    """

    around: Surroundings
    refused: RootlessError | None


def gather(caller: Caller, around: Surroundings) -> UsernsFacts:
    """Try one with a single ID, which needs nothing but the kernel's leave."""
    with tempfile.TemporaryDirectory(prefix="rootless-doctor-") as folder:
        body = partial(mount_tmpfs, Path(folder))
        return UsernsFacts(around, attempt(body, caller=caller, single=True))


def check_userns(facts: UsernsFacts) -> Check:
    """Judge."""
    if facts.refused is None:
        limit = facts.around.max_user_namespaces
        return Check("userns", State.OK, f"made one and mounted in it; at most {limit} are allowed")
    if isinstance(facts.refused, Precondition):
        cause = facts.refused.what.removeprefix("cannot make a user namespace: ")
        fix = facts.refused.fix
    else:  # made, and then refused: always a security module's doing
        found = find_restriction(errno.EPERM, facts.around)
        cause, fix = found.cause, found.fix
    return Check("userns", State.FAILED, str(facts.refused.what), cause, fix)
