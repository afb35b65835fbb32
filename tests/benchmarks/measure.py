"""What the benchmarks share: run contenders in turn, take medians, print a Markdown table.

Contenders take turns within each round, so that a busy minute of the machine hits all of them; the
first is ours, and the others' ratios are to it.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

# Does its preparations, does the thing, returns the seconds that the thing took.
Contender = Callable[[], float]


class Unavailable(Exception):
    """The contender cannot run here; the table says why."""


def arguments(description: str, **more: tuple[object, str]) -> argparse.Namespace:
    """Parse --runs, --folder, --image and what else the benchmark takes, as (default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=5, help="rounds (default 5)")
    parser.add_argument("--folder", default="/var/tmp", help="where to work (default /var/tmp)")
    parser.add_argument(
        "--image",
        default=os.environ.get("ROOTLESS_DEMO_IMAGE", ""),
        help="LAYOUT:TAG (default $ROOTLESS_DEMO_IMAGE, see contrib/demo-image)",
    )
    for name, (default, text) in more.items():
        if isinstance(default, bool):
            parser.add_argument(f"--{name}", action="store_true", help=text)
            continue
        parser.add_argument(
            f"--{name}", type=type(default), default=default, help=f"{text} (default {default})"
        )
    return parser.parse_args()


def run(
    words: Sequence[str | os.PathLike[str]], env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program; raises Unavailable with its last words where it fails."""
    try:
        done = subprocess.run(
            [os.fspath(word) for word in words],
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        raise Unavailable(f"{words[0]}: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        last = said[-1] if said else ""
        raise Unavailable(f"{words[0]}: status {done.returncode}: {last}"[:200])
    return done


def timed(words: Sequence[str | os.PathLike[str]], env: Mapping[str, str] | None = None) -> float:
    """Run a program; return its wall-clock seconds."""
    begin = time.perf_counter()
    run(words, env)
    return time.perf_counter() - begin


def rootless() -> str:
    """Return the executable beside this interpreter."""
    return str(Path(sys.prefix, "bin", "rootless"))


def compare(title: str, contenders: Mapping[str, Contender], runs: int, unit_ms: int = 0) -> None:
    """Measure and print one table."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for name, contender in contenders.items():
            if name in failed:
                continue
            try:
                times[name].append(contender())
            except Unavailable as error:
                failed[name] = str(error)
    print(f"\n### {title}\n")
    print("| | median | fastest | slowest | ratio to the first |\n| --- | --- | --- | --- | --- |")
    first: float | None = None
    for name, values in times.items():
        if name in failed or not values:
            print(f"| {name} | {failed.get(name, 'not run')} | | | |")
            continue
        middle = statistics.median(values)
        first = first or middle
        cells = " | ".join(_text(value, unit_ms) for value in (middle, min(values), max(values)))
        print(f"| {name} | {cells} | {middle / first:.1f} |")


def heading(name: str, runs: int, note: str = "") -> None:
    """Say when, where and how."""
    words = " ".join(["python", *sys.argv])
    print(f"`{words}`, {runs} rounds, {datetime.now(UTC):%Y-%m-%d}\n")
    cpus = len(os.sched_getaffinity(0))
    print(f"{name}: {cpus} CPUs, Linux {platform.release()}, Python {platform.python_version()}")
    if note:
        print(note)


def _text(seconds: float, unit_ms: int) -> str:
    return f"{seconds * 1000:.0f} ms" if unit_ms else f"{seconds:.2f} s"
