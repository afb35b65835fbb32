"""Commands that change the store, in each other's way, killed at any moment; and a full disk.

`ROOTLESS_KILLS=200` makes it so many kills in place of a few.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

import images
import loading
import pytest
from executable import Rootless

KILLS = int(os.environ.get("ROOTLESS_KILLS", "6"))
_AT_ONCE = 3
_LONGEST_S = 1.2  # a load takes about that


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write three archives, each with a layer of its own and one that all have."""
    numbers = random.Random(1)
    folder = tmp_path_factory.mktemp("sources")
    shared = images.LayerBuilder().file("shared", numbers.randbytes(4 << 20))
    found = []
    for number in range(3):
        layer = images.LayerBuilder().file("large", numbers.randbytes(4 << 20))
        for i in range(1000):
            layer.file(f"{number}/{i}", b"x" * 100)
        names = [f"image{number}"]
        found.append(images.docker_archive(folder / f"{number}.tar", [shared, layer], names=names))
    return found


def some_command(numbers: random.Random, sources: list[Path]) -> tuple[str | Path, ...]:
    """Return a command that changes the store, or may."""
    image = f"image{numbers.randrange(len(sources))}"
    return numbers.choice(
        [
            *[("load", "-q", numbers.choice(sources))] * 3,
            ("rmi", "-f", image),
            ("rmi", "--all"),
            ("tag", image, f"other{numbers.randrange(3)}"),
            ("store", "gc"),
            ("store", "verify", "--repair"),
            ("store", "compact", "--all"),
            ("store", "compact", "--all", "--undo"),
            ("image", "prune"),
            ("system", "prune"),
            ("system", "prune", "--all"),
        ]
    )


def some_damage(numbers: random.Random, store: Path) -> None:
    """Remove, or cut, something that can be made again."""
    found = [*store.glob("layers/sha256/*.index"), *store.glob("trees/*.v2")]
    if found and numbers.random() < 0.3:
        path = numbers.choice(found)
        path.unlink()
        if numbers.random() < 0.5:
            path.write_bytes(b"cut")


def test_killed_in_each_others_way(rootless: Rootless, sources: list[Path]) -> None:
    """After each kill -9 the store is repaired without a loss, and then it verifies clean."""
    seed = random.randrange(1 << 32)
    numbers = random.Random(seed)
    killed = 0
    rootless.ok("load", "-q", sources[0])
    while killed < KILLS:
        some_damage(numbers, rootless.home.store)
        said = [some_command(numbers, sources) for _ in range(_AT_ONCE)]
        running = [
            rootless.start(*words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for words in said
        ]
        for process in running:
            try:
                process.wait(numbers.uniform(0, _LONGEST_S))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
            process.wait(10)
        context = f"seed {seed}, after {said}"
        repaired = rootless("store", "verify", "--repair")
        assert repaired.status == 0, f"{context}: {repaired}"
        verified = rootless("store", "verify")
        assert verified.status == 0, f"{context}: {verified}"
        assert "repaired" not in verified.stdout
    for source in sources:
        rootless.ok("load", "-q", source)
    rootless.ok("store", "gc")
    assert rootless.ok("store", "gc", "--dry-run") == ""
    assert loading.temp_files(rootless.home.store) == []
    assert rootless.ok("store", "verify").endswith("6 documents, 4 layers, 3 trees: all is well\n")


_FULL = """
mkdir "$1" && mount -t tmpfs -o size=64m tmpfs "$1" || exit 1
"$2" load -q "$3" "$4" || exit 2
"$2" tag image0 other || exit 2
: > "$1/blobs/sha256/.tmp-0123456789abcdef"
head -c 99 "$3" > "$1/trees/.tmp-fedcba9876543210"
cat /dev/zero > "$1/filler" 2>/dev/null
df --output=avail "$1" | tail -1
shift 4
"$@"
"""


@pytest.mark.needs_user
@pytest.mark.parametrize(
    "script",
    [
        '"$1" store gc',
        '"$1" rmi other image0 && "$1" images -q',
        '"$1" rmi --all && "$1" images',
        '"$1" image prune --all && "$1" images',
        '"$1" system prune --all && "$1" images',
        '"$1" system df',
        '"$1" store verify',
        (
            'cd "$ROOTLESS_HOME"; rm trees/*.v2; cat /dev/zero 2>&- >partial/$(printf %064d 1); '
            '"$1" rmi --all && ls'
        ),
    ],
)
def test_room_is_made_on_a_full_disk(script: str, rootless: Rootless, sources: list[Path]) -> None:
    """With not a byte free, what removes works, and so does what tells."""
    store = rootless.home.store
    shell = ["sh", "-c", _FULL, "sh", store, rootless.executable, *sources[:2]]
    inner = ["sh", "-c", f"{script} && echo done", "sh", rootless.executable]
    done = subprocess.run(
        ["unshare", "-rm", *shell, *inner],
        env=dict(rootless.home.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "done", done.stdout
    assert done.stdout.splitlines()[2].strip() == "0", done.stdout


def test_a_store_that_two_versions_fill(rootless: Rootless, sources: list[Path]) -> None:
    """Trees of another version of the format are nobody's: a collection takes them."""
    rootless.ok("load", "-q", sources[0])
    (tree,) = (rootless.home.store / "trees").iterdir()
    shutil.copy(tree, tree.with_suffix(".v1"))
    rootless.ok("store", "gc")
    assert [path.name for path in (rootless.home.store / "trees").iterdir()] == [tree.name]
