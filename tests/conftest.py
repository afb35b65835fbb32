"""Fixtures and rules that every test shares.

Rules: a test leaves no mount, process or open file; a skip gives a reason that `KNOWN_SKIPS` has,
else the run fails under `--strict-skips`, as contrib/test has it.
"""

import fcntl
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import forking
import leaks
import pytest
from executable import Home, Rootless
from registries import (  # noqa: F401 - fixtures
    basic_registry,
    client_certificate_registry,
    demo_registry,
    plain_registry,
    tls_registry,
    token_registry,
)

# Reasons that say something about the user or the kernel, not about a set-up that was forgotten.
KNOWN_SKIPS = (
    "needs sub-ID ranges",  # the second run is made by a user without
    "needs a user without sub-ID ranges",
    "needs an ordinary user",
    "needs root",
    "needs kernel",  # followed by a version or "with" a file system
    "needs loop devices",  # a container may have none
    "needs a default route",  # a machine without a network
    "needs AppArmor",
)

_MARKERS = (
    "both_users: runs again as the user without sub-ID ranges",
    "needs_root: compares with what only root can do; contrib/test runs these as root",
    "needs_user: makes sense only as an ordinary user",
    "forked: many cases of what is not about the start, where tests are about it (see forking.py)",
    "new_interpreter: starts each program by exec, not by forking what has imported it",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --strict-skips."""
    parser.addoption(
        "--strict-skips", action="store_true", help="fail on a skip whose reason is not known"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, mark the session."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(_Skips(strict=config.getoption("--strict-skips")))
    config.pluginmanager.register(_LongFirst())
    leaks.begin_session()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs with either map for both users, before -m selects.

    Not what only mounts, under a map that it makes itself: that of one ID is the same for both.
    """
    for item in items:
        names = item.fixturenames if isinstance(item, pytest.Function) else ()
        if "id_map" in names and item.path.parent.name not in ("mounted", "lockstep"):
            item.add_marker("both_users")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this user or this host cannot do, by marker."""
    if item.get_closest_marker("needs_root") and os.getuid() != 0:
        pytest.skip("needs root")
    if item.get_closest_marker("needs_user") and os.getuid() == 0:
        pytest.skip("needs an ordinary user")
    if item.get_closest_marker("needs_subid") and not has_subids():
        pytest.skip("needs sub-ID ranges")
    if item.get_closest_marker("needs_fuse") and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("/dev/fuse cannot be opened")


def has_subids() -> bool:
    """Tell whether /etc/subuid and /etc/subgid name this user."""
    names = {str(os.getuid()), os.environ.get("USER", "")}
    return all(
        any(line.split(":")[0] in names for line in Path(file).read_text().splitlines())
        for file in ("/etc/subuid", "/etc/subgid")
        if Path(file).exists()
    )


class _LongFirst:
    """Puts files that take minutes first and those of short tests last.

    So several workers, each of which takes the next file, end at about the same time.
    """

    _FOLDERS = ("build", "conformance", "crash", "holder", "lockstep", "workloads")

    @pytest.hookimpl(trylast=True)  # after they were shuffled
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Change the order of files only."""
        items.sort(key=self._rank)

    def _rank(self, item: pytest.Item) -> int:
        folders = item.path.parent.parts
        return 2 if "unit" in folders else int(folders[-1] not in self._FOLDERS)


class _Skips:
    """Collects the reasons of skips; unknown ones fail the run."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.unknown: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a skipped test."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self._note(report.nodeid, report.longrepr)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a skipped module."""
        if report.skipped:
            self._note(report.nodeid, report.longrepr)

    def _note(self, nodeid: str, longrepr: object) -> None:
        reason = str(longrepr[2] if isinstance(longrepr, tuple) else longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not reason.startswith(KNOWN_SKIPS):
            self.unknown.add(f"{nodeid}: {reason}")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turn unknown reasons into a failure."""
        if self.strict and self.unknown and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show them."""
        if self.unknown:
            word = "an error here" if self.strict else "an error under --strict-skips"
            terminalreporter.section(f"skips with a reason that is not known ({word})")
            for line in sorted(self.unknown):
                terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def _leaves_no_log() -> Iterator[None]:
    """Handlers that a test installs write to streams that end with it."""
    loggers = [logging.getLogger(), logging.getLogger("rootless"), logging.getLogger("fuse")]
    before = [(logger, list(logger.handlers), logger.level) for logger in loggers]
    yield
    for logger, handlers, level in before:
        for handler in {*logger.handlers} - {*handlers}:
            logger.removeHandler(handler)
        logger.setLevel(level)


# Files of tests/cli that are not about the command that they are named after.
_ABOUT_ALL = ("compact", "completion", "imports", "manual")


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have a process that has imported the program, to be forked when it is started."""
    with forking.forks(Home.make(tmp_path_factory.mktemp("nobody")).environ):
        yield


@pytest.fixture(autouse=True)
def _may_fork(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the executable be started by a fork, where the test is not about the start as such."""
    marks = {mark.name for mark in request.node.iter_markers()}
    folder, name = request.path.parent.name, request.path.stem.removeprefix("test_")
    command = name.removesuffix("_").replace("_", "-")
    subject: str | None = ""
    if folder == "holder" or "new_interpreter" in marks:
        subject = None
    elif folder == "cli" and "forked" not in marks:
        subject = None if command in _ABOUT_ALL else command
    forking.ForkedPopen.not_forked = subject
    yield
    forking.ForkedPopen.not_forked = None


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    before = leaks.Snapshot.take()
    yield
    left = leaks.leaked(before)
    assert not left, "left behind:\n" + "\n".join(left)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, forks: None) -> Home:
    """Fresh folders of a user who never ran rootless."""
    return Home.make(tmp_path_factory.mktemp("user"))


@pytest.fixture
def rootless(home: Home) -> Rootless:
    """The executable, in fresh folders."""
    return Rootless(home)


@pytest.fixture(scope="session")
def demo_image() -> str:
    """Name the real Debian image: `DIR:TAG`, an OCI layout and the name in it."""
    image = os.environ.get("ROOTLESS_DEMO_IMAGE", "")
    if not image:
        pytest.skip("ROOTLESS_DEMO_IMAGE is not set (contrib/demo-image makes one)")
    return image


@pytest.fixture(scope="session")
def demo_debs() -> Path:
    """Name the folder with .deb files for an installation without a network."""
    folder = os.environ.get("ROOTLESS_DEMO_DEBS", "")
    if not folder:
        pytest.skip("ROOTLESS_DEMO_DEBS is not set (contrib/demo-image makes them)")
    return Path(folder)


@pytest.fixture(scope="session")
def demo_home(
    demo_image: str, tmp_path_factory: pytest.TempPathFactory, forks: None
) -> Iterator[Home]:
    """Give a user whose store holds the demo image as `debian-demo`; loaded once a session.

    He has been told of his ID map: that is said once, to whichever test has a terminal first. With
    ROOTLESS_HOLDER=wait his runs go through a namespace holder, where that can serve them;
    ROOTLESS_HOLDER_NOTES names a file that tells which did.
    """
    home = Home.make(tmp_path_factory.mktemp("demo"))
    names = ("ROOTLESS_HOLDER", "ROOTLESS_HOLDER_NOTES")
    home = Home(home.path, {**home.environ, **{n: os.environ[n] for n in names if n in os.environ}})
    _was_told_of_his_ids(home)
    _link_store(_loaded_once(demo_image, tmp_path_factory), home)
    yield home
    Rootless(home).ok("system", "shutdown")


def _was_told_of_his_ids(home: Home) -> None:
    home.runtime.mkdir(mode=0o700)
    (home.runtime / "said-single-id").touch()


def _loaded_once(demo_image: str, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a user whose store holds the demo image; several workers share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / "loading").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = folder / "loaded"
        if path.exists():
            return Home(path, {})
        path.mkdir()
        home = Home.make(path)
        Rootless(home).ok("load", demo_image.rpartition(":")[0], timeout=300)
        return home


def _link_store(source: Home, home: Home) -> None:
    shutil.copytree(
        source.store,
        home.store,
        copy_function=os.link,  # what a store holds is replaced, never written to
        ignore=shutil.ignore_patterns("scratch", "containers", "locks"),
    )
    for name in ("scratch", "locks"):
        (home.store / name).mkdir(mode=0o700)


@pytest.fixture
def demo(demo_home: Home) -> Rootless:
    """The executable, in folders whose store holds `debian-demo`. Do not change that store."""
    return Rootless(demo_home)


@pytest.fixture
def demo_alone(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Rootless:
    """The executable, with the demo image and with run-time and scratch folders of its own."""
    home = Home.make(tmp_path_factory.mktemp("alone"))
    scratch = home.path / "scratch"
    environ = {"ROOTLESS_HOME": str(demo_home.store), "ROOTLESS_SCRATCH": str(scratch)}
    return Rootless(Home(home.path, {**home.environ, **environ}))


@pytest.fixture
def demo_own(demo_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rootless]:
    """The executable, with the demo image in a store of its own; its containers are removed."""
    home = Home.make(tmp_path_factory.mktemp("own"))
    _was_told_of_his_ids(home)
    _link_store(demo_home, home)
    rootless = Rootless(home)
    yield rootless
    for name in rootless.ok("ps", "-aq").split():
        rootless("rm", "-f", name)


@pytest.fixture(params=["hybrid", "fuse"])
def overlay_driver(request: pytest.FixtureRequest) -> str:
    """Each overlay driver."""
    return str(request.param)


@pytest.fixture(params=["sub-ids", "single-id"])
def id_map(request: pytest.FixtureRequest) -> str:
    """Either ID map; the one with sub-IDs only where the user has some."""
    name = str(request.param)
    if name == "sub-ids" and not has_subids():
        pytest.skip("needs sub-ID ranges")
    return name


@pytest.fixture
def id_map_options(id_map: str) -> tuple[str, ...]:
    """Options of `rootless run` that choose that map."""
    return ID_MAP_OPTIONS[id_map]


ID_MAP_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "sub-ids": (),
    "single-id": ("--userns", "single"),
}


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Poll a condition; for what another process does in its own time."""

    def wait(condition: Callable[[], bool], timeout: float = 10) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true in time"
            time.sleep(0.01)

    return wait
