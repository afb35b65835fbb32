"""The global option `--store`: additional stores for one command, and for all that it starts."""

import os
from collections.abc import Sequence
from pathlib import Path

from rootless.errors import InvalidInput, NotFound
from rootless.paths import ADDITIONAL_STORES, Paths
from rootless.settings import additional_stores

_READ_ONLY = "ro:"


def name_stores(given: Sequence[str]) -> None:
    """Name stores in the environment, in front of those that are named already.

    So a container's monitor and its next start find them too.

    Raises:
        InvalidInput: A word is not `ro:DIR`.
        NotFound: There is no store.
    """
    known = additional_stores(Paths.from_environment())
    paths = [*map(_path, given), *known]
    os.environ[ADDITIONAL_STORES] = ":".join(map(str, dict.fromkeys(paths)))


def _path(text: str) -> Path:
    folder = text.removeprefix(_READ_ONLY)
    if folder == text or not folder:
        fix = "give it as ro:DIR; ROOTLESS_HOME names the store that is written to"
        raise InvalidInput("not an additional store", text, fix)
    if ":" in folder:
        raise InvalidInput("the path of a store cannot hold a colon", folder)
    path = Path(folder).expanduser().absolute()
    if not (path / "index.json").exists():
        raise NotFound("no such store", str(path), "the folder has no index.json")
    return path
