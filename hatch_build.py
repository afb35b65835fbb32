"""Adds to the wheel what is made of the command line's declarations: for completion, the manual."""

import json
import os
import pathlib
import sys
import tempfile
import time
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHELLS = {
    "rootless.bash": "share/bash-completion/completions/rootless",
    "_rootless": "share/zsh/site-functions/_rootless",
    "rootless.fish": "share/fish/vendor_completions.d/rootless.fish",
}


class Hook(BuildHookInterface[Any]):
    """The build hook of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files in a temporary folder, and name them to the builder."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from rootless.cli import declared, manual  # noqa: PLC0415 - of the tree that is built

        root = pathlib.Path(self.root)
        self._made = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self._made.name)
        command_line = declared.declared()
        data = json.dumps(declared.completion_data(command_line), separators=(",", ":"))
        (folder / declared.FILE.name).write_text(data)
        build_data["force_include"][str(folder / declared.FILE.name)] = "rootless/cli/declared.json"
        for source, place in SHELLS.items():
            build_data["shared_data"][str(root / "rootless/cli/shells" / source)] = place
        made = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
        date = time.strftime("%Y-%m-%d", time.gmtime(made))
        for name, text in manual.pages(command_line, date):
            (folder / name).write_text(text)
            build_data["shared_data"][str(folder / name)] = f"share/man/man1/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary folder."""
        del version, build_data, artifact_path
        if hasattr(self, "_made"):
            self._made.cleanup()
