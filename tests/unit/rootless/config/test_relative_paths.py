"""`rootless.config.relative_paths`: a project's paths."""

from pathlib import Path

import pytest

from rootless.config.option_values import Value
from rootless.config.relative_paths import from_folder

FOLDER = Path("/p")


@pytest.mark.parametrize(
    ("name", "value", "absolute"),
    [
        ("volume", (".:/w", "./a/../b:/b:ro"), ("/p:/w", "/p/b:/b:ro")),
        ("volume", ("/abs:/x", "~/y:/y", "data:/d"), ("/abs:/x", "~/y:/y", "data:/d")),
        ("mount", ("type=bind,src=./a,dst=/a",), ("type=bind,src=/p/a,dst=/a",)),
        ("mount", ("type=tmpfs,dst=/t",), ("type=tmpfs,dst=/t",)),
        ("env-file", ("vars", "/etc/vars"), ("/p/vars", "/etc/vars")),
        ("overlay", "up", "/p/up"),
        ("image", "./tool.sif", "/p/./tool.sif"),
        ("image", "debian:12", "debian:12"),
        ("network", "none", "none"),
        ("read-only", True, True),
    ],
)
def test_paths(name: str, value: Value, absolute: Value) -> None:
    """What names a file of the host is counted from the folder; all else stays as it is."""
    found = from_folder(name, value, FOLDER)
    if name == "image":
        assert Path(str(found)) == Path(str(absolute))
    else:
        assert found == absolute
