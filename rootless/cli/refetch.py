"""Images that are fetched again, by their digests, from the registries that they came from."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rootless.cli.fetch import fetch
from rootless.errors import RootlessError
from rootless.image import names
from rootless.image.names import Entry
from rootless.image.store import Store
from rootless.oci.reference import LOCALHOST, parse_reference

if TYPE_CHECKING:
    from rootless.transfer.progress import Progress


def refetch(store: Store, entries: Sequence[Entry], progress: "Progress") -> None:
    """Fetch what is missing of images; their names stay as they are.

    One that came from a file is passed over. Raises RootlessError when one cannot be fetched, after
    all have been tried.
    """
    faults = []
    for entry in entries:
        reference = parse_reference(entry.reference)
        digest = entry.index_digest or entry.source_digest
        if reference.domain == LOCALHOST or digest is None:
            continue
        name = f"{reference.repository}@{digest}"
        was_there = _called(store, name)
        try:
            fetch(store, name, defaultdict(str), progress)  # no option of `pull` is given
        except RootlessError as error:
            faults.append(str(error))
        if not was_there:
            names.drop(store, _called(store, name))
    if faults:
        raise RootlessError("; ".join(faults))


def _called(store: Store, name: str) -> list[Entry]:
    return [entry for entry in names.entries(store) if entry.reference == name]
