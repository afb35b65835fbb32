"""Layers that a pull leaves where they are, and layers that were left there before.

See `rootless.lazy`: a layer with a table of contents can be used by that alone.
"""

import logging
from pathlib import Path

import trio

from rootless.errors import RootlessError
from rootless.image.holds import note_due
from rootless.image.store import Store
from rootless.lazy.needed import complete
from rootless.lazy.source import Origin
from rootless.lazy.stage import try_stage
from rootless.oci.descriptor import Descriptor
from rootless.oci.digest import Digest
from rootless.transfer.progress import Meter, State
from rootless.transfer.pull_options import Offer, Stage

log = logging.getLogger(__name__)


def staging(authfile: str = "", cert_dir: str = "") -> Stage:
    """Return what makes a layer usable before it is there.

    Args:
        authfile: The auth file that the command line names; "" for the usual ones. Whoever fetches
            later reads it again.
        cert_dir: The folder of certificates that it names.
    """
    files = [str(Path(path).absolute()) if path else "" for path in (authfile, cert_dir)]

    async def stage(store: Store, offer: Offer, blob: Descriptor, diff_id: Digest) -> bool:
        async def read_range(offset: int, length: int) -> bytes:
            return await offer.repository.read_range(blob, offset, length)

        origin = Origin(offer.reference.repository, offer.settings.tls_verify, *files)
        return await try_stage(store, blob, diff_id, origin, read_range)

    return stage


async def complete_layer(store: Store, diff_id: Digest, meter: Meter) -> bool:
    """Fetch what is missing of a lazy layer; return whether it is an ordinary one then.

    False where it is not lazy, or where that fails: then it is downloaded as any other.
    """
    if not store.lazy_folder(diff_id).exists():
        return False
    have = 0

    def tell(came: int, total: int) -> None:
        nonlocal have
        del total
        meter.advance(came - have)
        have = came

    meter.enter(State.DOWNLOADING)
    try:
        await trio.to_thread.run_sync(complete, store, [diff_id], tell)
    except RootlessError as error:
        log.warning("the layer is downloaded anew: %s", error)
        note_due(store.root)  # what had come of it is of no use then
        return False
    meter.enter(State.DONE)
    return store.has_layer(diff_id)
