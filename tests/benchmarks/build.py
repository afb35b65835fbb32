"""Build images: `rootless build` against `buildah bud`, with nothing in the cache and with all.

As an ordinary user with sub-IDs, with contrib/demo-image's packages:

    python tests/benchmarks/build.py --runs 5 --image LAYOUT:TAG --debs FOLDER

The twelve Containerfiles of tests/build/files, each builder with a store of its own that has the
bases. Cold is a build with `--no-cache`; cached is the same build once more with every step in the
cache. buildah runs steps by `--isolation chroot`, its quickest, and, where the host lets crun work
(see start.py), by its default, `--isolation rootless`. One image after the other: no builder has
the machine for more than one build, and stages side by side are ours (`--jobs` is the CPUs).
"""

import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from measure import Unavailable, arguments, heading, rootless, run, timed

sys.path.insert(0, str(Path(__file__).parents[1]))

from build_cases import CASES, in_order, make_contexts, steps

_DOCKERS = ("onbuild-base", "onbuild", "metadata")

# Builds one image of a name, by these words; returns the seconds.
Build = Callable[[str, list[str]], float]


def ours(folder: Path, layout: str) -> Build:
    """`rootless build` in a store of its own."""
    env = {"ROOTLESS_HOME": str(folder / "store")}
    run([rootless(), "load", "-q", layout], env)

    def build(name: str, words: list[str]) -> float:
        return timed([rootless(), "build", "-q", "-t", name, *words], env)

    return build


def buildah(folder: Path, image: str, isolation: str) -> Build:
    """`buildah bud` in a store of its own."""
    where = [f"--root={folder}/root", f"--runroot={folder}/runroot", "--storage-driver=overlay"]
    command = ["buildah", *where]
    env = {"XDG_RUNTIME_DIR": f"{folder}/xdg", "BUILDAH_ISOLATION": isolation}
    for path in (folder, Path(env["XDG_RUNTIME_DIR"])):
        path.mkdir(mode=0o700)
    image_id = run([*command, "pull", "-q", f"oci:{image}"], env).stdout.split()[-1]
    run([*command, "tag", image_id, "localhost/debian-demo"], env)
    plain = ["--network=host", "--layers", "--pull-never", "-q"]

    def build(name: str, words: list[str]) -> float:
        # OCI's format, in which it finds more in its cache, has no ONBUILD and no SHELL
        form = "docker" if name in _DOCKERS else "oci"
        return timed([*command, "bud", *plain, f"--format={form}", "-t", name, *words], env)

    return build


def measured(
    builders: Mapping[str, Build], contexts: Path, runs: int
) -> dict[tuple[str, str, bool], list[float]]:
    """Build everything in turn; return the seconds by builder, image and whether it was cached."""
    found: dict[tuple[str, str, bool], list[float]] = {}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for case in in_order():
            for name, build in builders.items():
                for image, words in steps(case, contexts, is_judge=name.startswith("buildah")):
                    for is_cached in (False, True):
                        if name in failed:
                            continue
                        try:
                            options = [] if is_cached else ["--no-cache"]
                            seconds = build(image, [*options, *words])
                        except Unavailable as error:
                            failed[name] = str(error)
                            continue
                        if image == case.name:
                            found.setdefault((name, image, is_cached), []).append(seconds)
    for name, why in failed.items():
        print(f"{name} could not build everything: {why}", file=sys.stderr)
    return {key: values for key, values in found.items() if key[0] not in failed}


def show(found: Mapping[tuple[str, str, bool], list[float]], *, is_cached: bool) -> None:
    """Print one table: an image a row, the sum below."""
    names = list(dict.fromkeys(key[0] for key in found))
    title = "everything in the cache" if is_cached else "nothing in the cache"
    print(f"\n### Build, {title}\n")
    print("|".join(["", " ", *(f" {name} " for name in names), ""]))
    print("|".join(["", *(" --- " for _ in ["", *names]), ""]))
    sums = dict.fromkeys(names, 0.0)
    for case in CASES:
        middles = {name: statistics.median(found[name, case, is_cached]) for name in names}
        for name, seconds in middles.items():
            sums[name] += seconds
        print(_row(case, middles))
    print(_row("all", sums))


def _row(title: str, seconds: Mapping[str, float]) -> str:
    first = next(iter(seconds.values()))
    cells = [f"{value:.2f} s ({value / first:.1f})" for value in seconds.values()]
    cells[0] = f"{first:.2f} s"
    return "| " + " | ".join([title, *cells]) + " |"


def main() -> None:
    """Measure and print."""
    debs = os.environ.get("ROOTLESS_DEMO_DEBS", "")
    options = arguments(__doc__ or "", debs=(debs, "folder of packages"))
    layout = options.image.rpartition(":")[0]
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=options.folder) as name:
        folder = Path(name)
        contexts = make_contexts(folder / "contexts", Path(options.debs))
        builders = {
            "rootless build": ours(folder, layout),
            "buildah bud, chroot": buildah(folder / "chroot", options.image, "chroot"),
            "buildah bud, crun": buildah(folder / "crun", options.image, "rootless"),
        }
        heading("build", options.runs, f"buildah {run(['buildah', '--version']).stdout.split()[2]}")
        found = measured(builders, contexts, options.runs)
        for is_cached in (False, True):
            show(found, is_cached=is_cached)
        for each in ("chroot", "crun"):
            run(["buildah", "unshare", "rm", "-rf", folder / each])
        shutil.rmtree(contexts)


if __name__ == "__main__":
    main()
