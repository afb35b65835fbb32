"""The overlay: our drivers beside fuse-overlayfs and the kernel's overlayfs, on the same work.

As an ordinary user with sub-IDs:

    python tests/benchmarks/overlay.py --runs 5 --image LAYOUT:TAG --chart docs/overlay.svg

Every contender mounts the same image, in a user and mount namespace of its own, with a new
upperdir on the same file system; they take turns in every round. "Cold" means a fresh mount: the
kernel has nothing of it cached, while what lies below (tars, unpacked layers) is in the page
cache. "Warm" is the same again on the same mount. `--only walk,read` selects measurements, and
`--quick` tries everything out: one round, a tenth of the sizes.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import chart
import synthetic
import targets
import workloads
from contenders import OURS, PEERS, Mounted, run_on
from measure import Unavailable, arguments, heading
from synthetic import Prepared
from workloads import Sizes

from rootless.userns.create import run_inside
from rootless.userns.maps import MapRequest, Maps, choose_maps
from rootless.userns.subid import Caller

Workload = Callable[[Mounted, Sizes], dict[str, float]]

CONTENDERS = (*OURS, *PEERS)
C_PEER = "fuse-overlayfs"
_TICK = 0.01  # what /proc counts CPU time in


@dataclass(frozen=True, slots=True)
class Section:
    """An image and what is measured on it: names for --only, and the workloads behind them.

    `image` is the section whose image it is, where that is another one.
    """

    title: str
    layers: Callable[[Sizes], list[synthetic.Layer]] | None
    measurements: tuple[tuple[str, Workload], ...]
    image: str = ""

    @property
    def name(self) -> str:
        """What the image is called."""
        return self.image or self.title


SMALL_FILES: tuple[tuple[str, Workload], ...] = (("walk", workloads.walk), ("read", workloads.read))


def _small(count: int) -> Callable[[Sizes], list[synthetic.Layer]]:
    return lambda sizes: synthetic.small_files(sizes.files, count)


SECTIONS = (
    Section("image", None, (*SMALL_FILES, ("python", workloads.python))),
    Section(
        "1 layer",
        _small(1),
        (
            *SMALL_FILES,
            *(("clients", workloads.clients(number)) for number in (1, 2, 8)),
        ),
    ),
    *(Section(f"{count} layers", _small(count), SMALL_FILES) for count in (10, 40, 120)),
    Section(
        "large files",
        lambda sizes: synthetic.big_files(random=sizes.random_file, large=sizes.large_file),
        (
            ("random", workloads.random_reads),
            ("sequential", workloads.sequential),
            ("copy-up", workloads.copy_up),
        ),
    ),
    Section(
        targets.ENTRIES,
        lambda sizes: synthetic.entries(sizes.removed, sizes.entries),
        (("remove", workloads.remove), ("server", workloads.server)),
    ),
    # At the end: every file that is made stays in the kernel's table of inodes, whose chains become
    # longer for whoever walks after that.
    Section(
        targets.WRITTEN,
        _small(1),
        (("create", workloads.create), ("untar", workloads.untar)),
        image="1 layer",
    ),
)
NAMES = tuple(dict.fromkeys(name for section in SECTIONS for name, _ in section.measurements))


@dataclass(slots=True)
class Results:
    """Values of all rounds by row and contender, and why a contender has none."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, title: str, contender: str, measured: Mapping[str, float]) -> None:
        """Keep what one contender measured in one round."""
        for name, value in measured.items():
            row = self.values.setdefault(f"{title}: {name}", {})
            row.setdefault(contender, []).append(value)

    def medians(self) -> dict[str, dict[str, float]]:
        """Return the median of each row and contender."""
        return {
            row: {name: statistics.median(values) for name, values in measured.items()}
            for row, measured in self.values.items()
        }


@dataclass(frozen=True, slots=True)
class Bench:
    """What all sections share."""

    maps: Maps
    sizes: Sizes
    runs: int
    only: frozenset[str]
    results: Results

    def run(self, section: Section, image: Prepared) -> None:
        """Measure one section: in every round every contender, each round begun by another one."""
        chosen = [each for each in section.measurements if each[0] in self.only]
        for number in range(self.runs):
            first = number % len(CONTENDERS)
            for name, workload in chosen:
                for contender in CONTENDERS[first:] + CONTENDERS[:first]:
                    self._turn(section.title, name, workload, contender, image)

    def _turn(
        self, title: str, name: str, workload: Workload, contender: str, image: Prepared
    ) -> None:
        if (contender, f"{title}: {name}") in self.results.failures:
            return
        try:
            measured = run_on(
                contender, image, self.maps, lambda mounted: workload(mounted, self.sizes)
            )
        except Unavailable as error:
            self.results.failures[contender, f"{title}: {name}"] = str(error)
        else:
            self.results.add(title, contender, measured)


def prepare(section: Section, bench: Bench, folder: Path, image: str) -> Prepared:
    """Make a section's image in a folder of its own."""
    here = folder / section.name.replace(" ", "-")
    here.mkdir()
    if section.layers is None:
        layout, _, tag = image.rpartition(":")
        return synthetic.prepare(here, Path(layout), tag, bench.maps)
    layout_folder = here / "layout"
    synthetic.write_layout(layout_folder, section.layers(bench.sizes), "bench")
    made = synthetic.prepare(here, layout_folder, "bench", bench.maps)
    shutil.rmtree(layout_folder)
    return made


@contextmanager
def workplace(parent: str, maps: Maps) -> Iterator[Path]:
    """Give a folder, which root of the user namespace removes: not all in it is the caller's."""
    with tempfile.TemporaryDirectory(prefix="rootless-bench-", dir=parent) as name:
        folder = Path(name, "images")
        folder.mkdir()
        try:
            yield folder
        finally:
            run_inside(maps, lambda: shutil.rmtree(folder))


def faster(ratio: float) -> str:
    """Say what a ratio of times means."""
    return f"{ratio:.1f}x faster" if ratio >= 1 else f"{1 / ratio:.1f}x slower"


def more(ratio: float) -> str:
    """Say what a ratio of sizes means."""
    return f"{ratio:.1f}x as much"


def show(row: str, value: float) -> str:
    """Return a value with its unit."""
    if "(MiB)" in row:
        return f"{value:.0f}"
    return f"{value * 1000:.0f} ms" if value < 10 else f"{value:.1f} s"


def print_section(title: str, results: Results) -> None:
    """Print one table: a row for each measurement, a column for each contender."""
    rows = {row: each for row, each in results.values.items() if row.startswith(f"{title}: ")}
    if rows:
        print(f"\n### {title}\n")
        against = [f"{name} against {C_PEER}" for name in OURS]
        print("| |", " | ".join([*CONTENDERS, *against]), "|")
        print("| --- |", " | ".join(["---"] * (len(CONTENDERS) + len(against))), "|")
    for row, measured in rows.items():
        cells = [_cell(row, measured.get(name, [])) for name in CONTENDERS]
        cells += [_against(row, measured, name) for name in OURS]
        print(f"| {row.removeprefix(f'{title}: ')} |", " | ".join(cells), "|")
    for (contender, what), why in results.failures.items():
        if what.startswith(f"{title}: "):
            print(f"\nNot measured: {what}, {contender}: {why}")


def _cell(row: str, values: list[float]) -> str:
    if not values:
        return ""
    text = show(row, statistics.median(values))
    return f"{text} ({show(row, min(values))} to {show(row, max(values))})" if values[1:] else text


def _against(row: str, measured: Mapping[str, list[float]], name: str) -> str:
    if name not in measured or C_PEER not in measured:
        return ""
    ours, theirs = (statistics.median(measured[each]) for each in (name, C_PEER))
    return more(ours / theirs) if "(MiB)" in row else faster(theirs / max(ours, _TICK))


def print_targets(medians: targets.Medians) -> None:
    """Print which targets are reached."""
    print("\n### Targets\n\n| target | measured | |\n| --- | --- | --- |")
    for line in targets.judge(medians):
        print("|", " | ".join(line), "|")


def ratios(medians: targets.Medians) -> dict[str, dict[str, float]]:
    """Return how many times faster than fuse-overlayfs ours are, of every row but the server's."""
    return {
        row: {name: measured[C_PEER] / measured[name] for name in OURS if name in measured}
        for row, measured in medians.items()
        if C_PEER in measured and ": server " not in row
    }


def parse() -> argparse.Namespace:
    """Parse the arguments; ends the program where they are not right."""
    options = arguments(
        __doc__ or "",
        only=("", f"measurements, of {','.join(NAMES)}"),
        quick=(False, "one round, a tenth of the sizes"),
        chart=("", "SVG file to write"),
    )
    unknown = set(filter(None, options.only.split(","))) - set(NAMES)
    if unknown:
        sys.exit(f"--only: {', '.join(sorted(unknown))}: not one of {', '.join(NAMES)}")
    return options


def wanted(only: Iterable[str], options: argparse.Namespace) -> list[Section]:
    """Return the sections that have something to measure."""
    return [
        section
        for section in SECTIONS
        if any(name in only for name, _ in section.measurements)
        and (section.layers is not None or options.image)
    ]


def main() -> int:
    """Measure and print; returns the exit status."""
    options = parse()
    only = frozenset(filter(None, options.only.split(","))) or frozenset(NAMES)
    sizes = Sizes().tenth() if options.quick else Sizes()
    runs = 1 if options.quick else options.runs
    maps = choose_maps(MapRequest(), Caller.current())
    bench = Bench(maps, sizes, runs, only, Results())
    heading("overlay", runs, f"{sizes}; user {os.getuid()}")
    with workplace(options.folder, maps) as folder:
        images: dict[str, Prepared] = {}
        for section in wanted(only, options):
            if section.name not in images:
                images[section.name] = prepare(section, bench, folder, options.image)
            bench.run(section, images[section.name])
            print_section(section.title, bench.results)
            sys.stdout.flush()
    medians = bench.results.medians()
    print_targets(medians)
    if options.chart and (bars := ratios(medians)):
        title = f"How many times faster than {C_PEER} (logarithmic)"
        Path(options.chart).write_text(chart.draw(title, bars))
    return 1 if bench.results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
