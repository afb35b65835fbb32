"""No import from inside a container: its modules would run in the runner (CVE-2019-14271)."""

import sys


def forbid_imports() -> None:
    """Leave the import system nowhere to look; codecs are modules too."""
    sys.meta_path.clear()
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
