"""Every error that reaches the user.

RootlessError                125: our fault, or the set-up's
├ InvalidInput               a reference, an option, a document
│ └ AccessDenied             a registry wants to know who asks, or does not let him in
├ NotFound                   an image, a container, a file of the host
├ Conflict                   a name in use, an object busy
├ Precondition               the host lacks something: carries the doctor check's name
├ IntegrityError             digest, size, diff ID, malformed or hostile archive: nothing was kept
├ StoreError                 full, read-only, or of a newer format
├ RegistryError              the network, or a registry that does not do what it should
├ OverlayError               mount refused, server died
├ BuildError                 a Containerfile that cannot be built
│ └ StepFailed               the command of a RUN ended with a status, which is the build's
└ WorkloadError              raised where the workload cannot be executed
  └ CannotExecute            126
    └ CommandNotFound        127

A class is here only because somebody catches it or because it has its own exit status. No class
prints itself: `rootless.cli.exit` turns one into a line on stderr and a status.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:  # a workload's process in the making imports this, and little else
    from collections.abc import Mapping
    from typing import Any


class RootlessError(Exception):
    """What failed, on what, and what to do about it.

    Args:
        what: One clause without a full stop: "no such image".
        on: The object concerned: a reference, a path, an option; shown after the clause.
        fix: What the user can do, a sentence; may be empty where nothing can be done.
    """

    exit_status: int = 125

    def __init__(self, what: str, on: str = "", fix: str = "") -> None:
        super().__init__(what, on, fix)
        self.what = what
        self.on = on
        self.fix = fix

    def __str__(self) -> str:
        line = f"{self.what}: {self.on}" if self.on else self.what
        return f"{line} ({self.fix})" if self.fix else line

    def to_record(self) -> dict[str, str]:
        """Return the error as plain data, to be raised again in the process that reports it."""
        name = type(self).__name__
        return {"class": name, "what": self.what, "on": self.on, "fix": self.fix}

    @staticmethod
    def from_record(record: "Mapping[str, Any]") -> "RootlessError":
        """Return the error that `to_record` described in another process."""
        classes: list[type[RootlessError]] = [RootlessError]
        for known in classes:
            classes.extend(known.__subclasses__())
        kind = next((c for c in classes if c.__name__ == record["class"]), RootlessError)
        error = kind(record["what"], record["on"], record["fix"])
        if isinstance(error, StepFailed):
            error.exit_status = int(record["status"])
        return error


class InvalidInput(RootlessError):
    """A reference, an option or a document that does not say what it must."""


class AccessDenied(InvalidInput):
    """A registry does not let this user in; of what is not there many say the same."""


class NotFound(RootlessError):
    """An image, a container or a file that is not there."""


class Conflict(RootlessError):
    """A name in use, an object in the wrong state or held by another process."""


class Precondition(RootlessError):
    """The host lacks something; `check` names the `rootless doctor` check that explains it."""

    def __init__(self, what: str, on: str = "", fix: str = "", *, check: str = "") -> None:
        super().__init__(what, on, fix)
        self.check = check


class IntegrityError(RootlessError):
    """Data from outside is not what it claims to be; nothing of it was kept."""


class StoreError(RootlessError):
    """The store cannot take or give data: full, read-only, or of a newer format."""


class RegistryError(RootlessError):
    """A registry cannot be reached, or does not do what it should; trying again may help."""


class OverlayError(RootlessError):
    """The root file system could not be mounted, or its server died."""


class BuildError(RootlessError):
    """A Containerfile that cannot be built; `what` begins FILE:LINE."""


class StepFailed(BuildError):
    """The command of a RUN ended with another status than 0, which is that of the build."""

    def __init__(self, what: str, on: str = "", fix: str = "", *, status: int = 1) -> None:
        super().__init__(what, on, fix)
        self.exit_status = status

    def to_record(self) -> dict[str, str]:
        """Return the error as plain data; the status goes with it."""
        return {**super().to_record(), "status": str(self.exit_status)}


class WorkloadError(RootlessError):
    """The workload could not be started."""


class CannotExecute(WorkloadError):
    """The workload is there and cannot be executed."""

    exit_status = 126


class CommandNotFound(CannotExecute):
    """The workload is not there."""

    exit_status = 127
