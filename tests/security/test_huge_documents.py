"""Small archives that claim or unpack to gigabytes of headers and documents: memory stays small."""

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

HUGE = 2 << 30
LIMIT_KIB = 400 << 10
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def refused_within_memory(rootless: Rootless, *words: str | Path, says: tuple[str, ...]) -> None:
    """Expect a refusal by a process that never has more than 400 MiB in memory."""
    loading.refused(rootless, *words, says=says)
    # A process counts what its parent had when it was forked: so a small parent stands between.
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *rootless.command(*words)],
        env=rootless.home.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    assert 0 < int(done.stdout) < LIMIT_KIB


def sparse(path: Path, head: bytes, size: int) -> Path:
    """Write a file that begins so and has holes after."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    return path


@pytest.mark.parametrize("typeflag", [b"x", b"g", b"L", b"K"])
def test_an_extended_header_of_2_gib(typeflag: bytes, rootless: Rootless, tmp_path: Path) -> None:
    """A header of 2 GiB that is really there is refused before it is read."""
    head = images.header(b"x", typeflag=typeflag, size=HUGE)
    source = sparse(tmp_path / "a.tar", head, HUGE + 1024)
    refused_within_memory(rootless, "load", source, says=(f"extended header of {HUGE} bytes",))
    refused_within_memory(rootless, "import", source, says=(f"extended header of {HUGE} bytes",))


def test_a_layer_with_one(rootless: Rootless, tmp_path: Path) -> None:
    """So is one in a layer of an image, that only claims its size."""
    layer = images.header(b"x", typeflag=b"x", size=HUGE) + images.END
    source = images.oci_layout(tmp_path / "layout", [layer])
    loading.refused(rootless, "load", source, says=(f"extended header of {HUGE} bytes",))


def gzip_of_blanks(head: bytes, size: int) -> bytes:
    """Return a gzip of a text and many blanks."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", compresslevel=1) as file:
        file.write(head)
        blanks = b" " * (1 << 20)
        file.write(b"[" + blanks[1:])
        for _ in range((size >> 20) - 1):
            file.write(blanks)
        file.write(bytes(1024))
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["manifest.json", "index.json"])
def test_a_document_bomb(name: str, rootless: Rootless, tmp_path: Path) -> None:
    """A document of 512 MiB of blanks in a gzip of 2 MB is not kept in memory."""
    size = 512 << 20
    head = images.header(name.encode(), size=size)
    source = tmp_path / "a.tar.gz"
    source.write_bytes(gzip_of_blanks(head, size))
    refused_within_memory(rootless, "load", source, says=("document is too large", name))


def test_many_documents(rootless: Rootless, tmp_path: Path) -> None:
    """Nor are many documents of a bearable size each."""
    content = b"{" + b" " * ((8 << 20) - 1)
    source = tmp_path / "a.tar.gz"
    with gzip.open(source, "wb", compresslevel=1) as file:
        for number in range(60):
            file.write(images.header(b"%d" % number, size=len(content)) + content)
    refused_within_memory(rootless, "load", source, says=("too many documents",))


def test_deep_and_wide_json(rootless: Rootless, tmp_path: Path) -> None:
    """Documents that exhaust a parser are refused in one line."""
    layout = images.Layout(tmp_path / "layout")
    for text, says in (
        ("[" * 1_000_000, "nested too deeply"),
        ('{"manifests": ' + "[" * 400 + "]" * 400 + "}", "is not"),
        ("9" * 100_000, "not JSON"),
        ('{"manifests": [{"digest": 1}]}', "manifests[0].digest is not a string"),
        ("\x00", "not JSON"),
        (" " * (5 << 20), "too large"),
    ):
        (layout.path / "index.json").write_text(text)
        loading.refused(rootless, "load", layout.path, says=(says,))


def test_a_manifest_of_a_million_layers(rootless: Rootless, tmp_path: Path) -> None:
    """The number of layers is bounded."""
    layout = images.Layout(tmp_path / "layout")
    layer = {"digest": images.digest(b""), "size": 0}
    config = layout.add_blob(images.image_config([]), images.CONFIG_TYPE)
    manifest = {"schemaVersion": 2, "config": config, "layers": [layer] * 2000}
    layout.add_to_index(layout.add_blob(json.dumps(manifest).encode(), images.MANIFEST_TYPE))
    loading.refused(rootless, "load", layout.path, says=("names 2000 layers, at most 1000",))
