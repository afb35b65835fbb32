"""`list`: the containers of a root folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rootless.errors import RootlessError
from rootless.oci.state import State
from rootless.runtime.status_file import Record, all_folders


@dataclass(frozen=True, slots=True)
class Listed:
    """One container: its state and its record."""

    state: State
    record: Record

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object, with runc's names."""
        return {
            **self.state.to_document(),
            "created": self.record.created,
            "owner": str(self.record.owner),
        }

    def row(self) -> tuple[str, ...]:
        """Return the table's line."""
        return (
            self.state.id,
            str(self.state.pid),
            str(self.state.status),
            self.state.bundle,
            self.record.created,
            str(self.record.owner),
        )


def containers(root: Path) -> Iterator[Listed]:
    """Yield the containers, sorted by ID; without what is damaged or just deleted."""
    for folder in all_folders(root):
        try:
            record = folder.record()
            yield Listed(folder.state(record), record)
        except RootlessError:
            continue
