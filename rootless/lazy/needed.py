"""What a command needs of lazy layers at once, where no FUSE server asks for it.

A run reads passwd and group before there is a mount; cp, commit, diff, export, save, push, mount
and bundles read an image by other ways than the server of a run: all of it is fetched before.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from stat import S_ISREG

from rootless.errors import RootlessError
from rootless.image import forms, names
from rootless.image.layers import ChunkTable
from rootless.image.names import Image, Located
from rootless.image.store import Store
from rootless.image.store_errors import explain
from rootless.image.trees import located, open_tree
from rootless.lazy import durable, present
from rootless.lazy.config import FetcherConfig
from rootless.lazy.launch import Fetcher, patience_s
from rootless.lazy.promote import settle
from rootless.oci.digest import Digest

log = logging.getLogger(__name__)

ACCOUNTS = (b"etc/passwd", b"etc/group")
"""What a run reads before its root is mounted."""

Tell = Callable[[int, int], None]
"""Takes how many bytes have come, and how many are to come in all."""


def is_lazy(store: Store, diff_ids: Sequence[Digest]) -> bool:
    """Return whether some of the layers are not all there; raises NotFound."""
    return any(place.form is forms.Form.LAZY for place in forms.find_all(store, diff_ids))


def complete(store: Store, diff_ids: Sequence[Digest], tell: Tell = lambda _, __: None) -> None:
    """Fetch all that is missing of layers, which are ordinary ones then.

    Raises:
        RegistryError: It cannot be had; what came is kept.
        IntegrityError: What came is wrong.
        StoreError: The store cannot take it.
    """
    while folders := _lazy_folders(store, diff_ids):
        numbered = tuple(enumerate(folders))
        try:
            _run(FetcherConfig(numbered, -1, patience_s=patience_s()), tell)
            return
        except RootlessError:
            if _lazy_folders(store, diff_ids) == folders:
                raise  # else a run beside this has made an ordinary layer of one meanwhile


def complete_and_say(store: Store, diff_ids: Sequence[Digest]) -> None:
    """Do as `complete`, and say how much has to be waited for."""
    is_said = False

    def tell(_: int, total: int) -> None:
        nonlocal is_said
        if total and not is_said:
            log.warning("fetching what is missing of the image: %d MB", -(-total // 1_000_000))
            is_said = True

    complete(store, diff_ids, tell)


def resolve_whole(store: Store, name: str) -> Image:
    """Return the image that a user means by *name*, all of it here.

    Raises as `names.resolve` and `complete`.
    """
    image = names.resolve(store, name)
    if image.place is not None:
        return image
    complete_and_say(store, image.config.diff_ids)
    for entry in names.entries(store):  # a layer may have come by another image, too
        if entry.manifest_digest == image.manifest_digest:
            settle(store, entry, image)
    return names.resolve(store, name)


def fetch_files(store: Store, diff_ids: Sequence[Digest], paths: Sequence[bytes]) -> None:
    """Fetch some files of an image, where they are not there; raises as `complete`."""
    if not is_lazy(store, diff_ids):
        return
    there = located(store, diff_ids)
    wanted = tuple(run for run in _runs(there, paths) if not _is_there(there, *run))
    if wanted:
        folders = {number: str(there.layers[number].parent) for number, _, _ in wanted}
        config = FetcherConfig(
            tuple(folders.items()), -1, wanted=wanted, completes=False, patience_s=patience_s()
        )
        _run(config, lambda _, __: None)


def share_here(store: Store, diff_ids: Sequence[Digest]) -> float:
    """Return how much of layers' contents is there, between 0 and 1, by the number of chunks."""
    here = of_all = 0.0
    for diff_id in diff_ids:
        place = forms.find_if_there(store, diff_id)
        if place is None:
            continue
        size = forms.size_of(store, diff_id)
        share = 1.0
        if place.form is forms.Form.LAZY:
            marks = place.contents.with_name(durable.PRESENT)
            with explain(marks), suppress(FileNotFoundError):  # an ordinary layer meanwhile
                came, chunks = present.count(marks)
                share = came / chunks if chunks else 1.0
        here += share * size
        of_all += size
    return here / of_all if of_all else 1.0


def _lazy_folders(store: Store, diff_ids: Sequence[Digest]) -> list[str]:
    places = forms.find_all(store, diff_ids)
    return sorted({str(place.contents.parent) for place in places if place.form is forms.Form.LAZY})


def _runs(there: Located, paths: Sequence[bytes]) -> list[tuple[int, int, int]]:
    """Return layer, offset and length of the files' contents in lazy layers."""
    runs = []
    with open_tree(there.tree) as tree:
        for path in paths:
            inode = tree.resolve(path)
            if inode is None or not S_ISREG(inode.mode) or not inode.size:
                continue
            if forms.is_lazy(there.layers[inode.layer]):
                runs.append((inode.layer, inode.offset, inode.size))
    return runs


def _is_there(there: Located, layer: int, offset: int, length: int) -> bool:
    path = there.layers[layer]
    with explain(path):
        durable.settle(path.parent)
        with closing(ChunkTable(path)) as table:
            marks = present.Marks(path.parent / durable.PRESENT)
            with marks:
                return all(marks[number] for number in table.numbers(offset, length))


def _run(config: FetcherConfig, tell: Tell) -> None:
    """Run a fetcher to its end; raises what kept it from its work."""
    fetcher = Fetcher.start(config, has_server=False)
    came, total = 0, 0
    failure: RootlessError | None = None
    try:
        while fetcher.news_fd >= 0:
            for news in fetcher.news():
                came += news.get("came", 0)
                total = news.get("total", total)
                tell(came, total)
                if "error" in news:
                    failure = RootlessError.from_record(news["error"])
        status = fetcher.process.wait()
    except BaseException:
        fetcher.process.terminate()
        raise
    finally:
        fetcher.stop()
    if failure is not None:
        raise failure
    if status != 0:
        raise RootlessError("what fetches an image's files ended", f"status {status}")
