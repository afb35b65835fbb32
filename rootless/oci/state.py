"""The state of a container, as a runtime tells it (runtime-spec runtime.md, "State")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

STATE_VERSION = "1.0.2"


class Status(StrEnum):
    """Where a container is in its life."""

    CREATING = "creating"
    CREATED = "created"
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class State:
    """The document that `state` prints and that hooks read on standard input.

    Attributes:
        pid: The container's process as the host sees it; 0 where there is none.
        bundle: Absolute path of the bundle.
    """

    id: str
    status: Status
    pid: int
    bundle: str
    annotations: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """Return the JSON object; a process ID is told only where a process is."""
        document: dict[str, Any] = {
            "ociVersion": STATE_VERSION,
            "id": self.id,
            "status": str(self.status),
        }
        if self.pid:
            document["pid"] = self.pid
        document["bundle"] = self.bundle
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        return document

    def to_json(self) -> str:
        """Return the document's text."""
        return json.dumps(self.to_document())
