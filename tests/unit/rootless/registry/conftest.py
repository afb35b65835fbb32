"""A credential helper that keeps its secrets in a file: a real program, on the test's own PATH."""

import os
import sys
from pathlib import Path

import pytest

_PROGRAM = """#!{python}
import json, pathlib, sys
kept = pathlib.Path({file!r})
known = json.loads(kept.read_text()) if kept.exists() else {{}}
verb, text = sys.argv[1], sys.stdin.read().strip()
if verb == "store":
    document = json.loads(text)
    if document["Secret"] == "refused":
        sys.exit("cannot store refused: locked")
    known[document["ServerURL"]] = document
elif verb == "erase":
    del known[text]
elif text == "broken.test":
    print("half a secret")
    sys.exit("keychain is locked")
elif text == "nonsense.test":
    print("half a secret")
elif text in known:
    print(json.dumps(known[text]))
else:
    print("credentials not found in native keychain")
    sys.exit(1)
kept.write_text(json.dumps(known))
"""


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put `docker-credential-test` on PATH; return the file in which it keeps everything."""
    folder = tmp_path / "bin"
    folder.mkdir()
    kept = tmp_path / "kept.json"
    program = folder / "docker-credential-test"
    program.write_text(_PROGRAM.format(python=sys.executable, file=str(kept)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return kept
