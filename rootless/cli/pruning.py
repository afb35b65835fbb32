"""What `rootless system prune` does: containers, then images, then what nothing leads to."""

import typer

from rootless.build.prune import prune as prune_builds
from rootless.cli import table
from rootless.cli.each import for_each
from rootless.cli.pruned import in_use, wanted_images
from rootless.containers import commands, listing, size
from rootless.containers.listing import Listed
from rootless.containers.times import parse_time
from rootless.image import foreign, gc, partial
from rootless.image.prune import prune
from rootless.image.store import Store
from rootless.paths import Paths


def prune_all(*, everything: bool, until: int | None) -> int:
    """Remove all that is not in use, and print it; return the status of what failed, else 0."""
    paths = Paths.from_environment()
    store = Store.open(paths, create=False)
    gc.sweep(store)
    freed = 0
    commands.remove_leftovers()
    ended = [each for each in listing.listed((), everything=True) if _is_old(each, until)]
    ended = [each for each in ended if not each.status.may_be_alive]
    status = 0
    if ended:
        freed += sum(size.size_of(paths, each.record) for each in ended)
        typer.echo("Deleted Containers")
        ids = [each.record.id for each in ended]
        status = for_each(ids, lambda word: commands.remove_one(word, force=False))
    filters = () if until is None else (f"until={until / 1e9:.9f}",)
    removed = prune(store, in_use(paths), everything=everything, wanted=wanted_images(filters))
    freed += removed.freed
    if removed.deleted:
        typer.echo("Deleted Images")
        for digest in removed.deleted:
            typer.echo(digest.partition(":")[2])
    if everything:
        freed += partial.sweep(store, older_than_s=0)
        freed += foreign.sweep(store, older_than_s=0)
        freed += prune_builds(store, lambda kept: until is None or kept < until)
    typer.echo(f"Total reclaimed space: {table.size(freed)}")
    return status


def _is_old(each: Listed, until: int | None) -> bool:
    return until is None or parse_time(each.record.created) < until
