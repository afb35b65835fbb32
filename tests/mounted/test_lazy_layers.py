"""Layers that are not all there: requests wait for the fetcher, and the others go on."""

import contextlib
import errno
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import images
import pytest
from chunks import bring, make_lazy
from fetcher import Asked, Fetcher, fork_fetcher, never
from mounting import Mount, Mounting
from trees import parse

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

COUNT, SIZE = 80, 30_000
WITHIN = 20.0
Answers = Callable[[Fetcher, Asked], None]


def contents(number: int) -> bytes:
    """Return what is in a file."""
    return (b"%d;" % number * SIZE)[:SIZE]


def layer() -> images.LayerBuilder:
    """Files of three chunks each, a program, and one small file."""
    built = images.LayerBuilder().file("small", b"here").directory("d")
    for number in range(COUNT):
        built.file(f"d/{number:03}", contents(number))
    return built.file("true", Path("/bin/true").read_bytes(), mode=0o755)


class Lazy:
    """A mount over a lazy layer with nothing in it, and its fetcher's end of the sockets."""

    def __init__(self, mounting: Mounting) -> None:
        self.mounting = mounting
        self.tar = mounting.folder / "layers" / "0.tar"
        mounting.convert = make_lazy
        mounting.before = self._connect

    def _connect(self) -> None:
        """Make the sockets where nobody else has them: their ends are to be seen."""
        self.end, self.server_end = socket.socketpair()
        self.mounting.options["fetcher_fd"] = self.server_end.fileno()

    def run(
        self,
        scenario: Callable[[Mount, Fetcher], None],
        answers: Answers | None = None,
        *,
        writable: bool = False,
        logs: str = "",
    ) -> None:
        """Run a scenario with a fetcher in a thread of its process."""

        def with_fetcher(mount: Mount) -> None:
            self.server_end.close()
            mount.expects_log = bool(logs)
            fetcher = Fetcher(self.end, [self.tar], answers)
            fetcher.start()
            scenario(mount, fetcher)
            said = (self.mounting.folder / "server.log").read_text().splitlines()
            assert [line for line in said if logs and logs in line] == said, said
            assert len(said) <= 1 or not logs, said

        self.mounting.run([layer()], with_fetcher, writable=writable)

    def bring(self, path: str) -> None:
        """Bring a file before it is asked for."""
        (entry,) = [e for e, _, _ in parse(self.tar.read_bytes()) if e.path == path.encode()]
        bring(self.tar, entry.offset, entry.size)


@pytest.fixture
def lazy(mounting: Mounting) -> Lazy:
    """A layer with nothing there."""
    return Lazy(mounting)


both_drivers = pytest.mark.parametrize("writable", [False, True], ids=["read-only", "writable"])


@both_drivers
def test_a_read_waits_and_the_others_go_on(lazy: Lazy, *, writable: bool) -> None:
    """Listings, attributes and files that are there are served meanwhile."""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        lazy.bring("small")
        with ThreadPoolExecutor(1) as threads:
            waits = threads.submit(mount.path("d/040").read_bytes)
            questions = fetcher.wait_for(1)
            begin = time.monotonic()
            assert mount.path("small").read_bytes() == b"here"
            assert len(os.listdir(mount.path("d"))) == COUNT
            assert mount.path("d/041").stat().st_size == SIZE
            assert time.monotonic() - begin < WITHIN / 4
            assert not waits.done()
            for question in questions:
                fetcher.answer(question)
            assert waits.result(WITHIN) == contents(40)

    lazy.run(scenario, never, writable=writable)


@both_drivers
def test_sixty_four_readers_and_answers_out_of_order(lazy: Lazy, *, writable: bool) -> None:
    """Each gets what it asked for; nothing is asked for twice; more wait than the kernel's 12."""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        lazy.bring("small")
        with ThreadPoolExecutor(64) as threads:
            waiting = [threads.submit(mount.path(f"d/{n:03}").read_bytes) for n in range(64)]
            again = threads.submit(mount.path("d/000").read_bytes)
            fetcher.wait_for(60)
            assert mount.path("small").read_bytes() == b"here"
            time.sleep(0.1)
            held, fetcher.answers = fetcher.wait_for(60), None
            for question in reversed(held):
                fetcher.answer(question)
            assert [each.result(WITHIN) for each in waiting] == [contents(n) for n in range(64)]
            assert again.result(WITHIN) == contents(0)
        starts = [question.offset for question in fetcher.asked]
        assert len(starts) == len(set(starts))

    lazy.run(scenario, never, writable=writable)


@both_drivers
def test_what_cannot_be_had_is_eio_until_it_can(lazy: Lazy, *, writable: bool) -> None:
    """Missing files alone, and one line in the log."""

    def fail(fetcher: Fetcher, question: Asked) -> None:
        fetcher.answer(question, errno.EIO)

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        lazy.bring("small")
        for _ in range(3):
            with pytest.raises(OSError, match="Input/output") as caught:
                mount.path("d/003").read_bytes()
            assert caught.value.errno == errno.EIO
            assert mount.path("small").read_bytes() == b"here"
        log = lazy.mounting.folder / "server.log"
        (line,) = log.read_text().splitlines()
        assert "cannot be had" in line
        log.write_text("")
        fetcher.answers = None
        assert mount.path("d/003").read_bytes() == contents(3)

    lazy.run(scenario, fail, writable=writable, logs="can be had again")


@both_drivers
def test_the_fetcher_is_killed(lazy: Lazy, *, writable: bool) -> None:
    """Who waits and who comes later gets EIO for what is absent; the rest goes on."""

    def scenario(mount: Mount) -> None:
        lazy.server_end.close()
        mount.expects_log = True
        lazy.bring("d/001")
        fetcher = fork_fetcher(lazy.end, [lazy.tar], never)
        lazy.end.close()
        with ThreadPoolExecutor(8) as threads:
            waiting = [threads.submit(mount.path(f"d/{n:03}").read_bytes) for n in range(10, 18)]
            time.sleep(0.3)
            os.kill(fetcher, signal.SIGKILL)
            os.waitpid(fetcher, 0)
            for each in waiting:
                with pytest.raises(OSError, match="Input/output"):
                    each.result(WITHIN)
        with pytest.raises(OSError, match="Input/output"):
            mount.path("d/020").read_bytes()
        assert mount.path("d/001").read_bytes() == contents(1)
        lazy.bring("d/021")  # by whom does not matter
        assert mount.path("d/021").read_bytes() == contents(21)
        (line,) = (lazy.mounting.folder / "server.log").read_text().splitlines()
        assert "the fetcher has ended" in line

    lazy.mounting.run([layer()], scenario, writable=writable)


@both_drivers
def test_programs_and_mappings(lazy: Lazy, *, writable: bool) -> None:
    """A program runs out of a file that comes page by page, and a mapping fills as it is read."""

    def slowly(fetcher: Fetcher, question: Asked) -> None:
        time.sleep(0.005)
        fetcher.answer(question)

    def scenario(mount: Mount) -> None:
        # In a process of its own: who waits for a page lets no other thread of Python run
        lazy.server_end.close()
        fetcher = fork_fetcher(lazy.end, [lazy.tar], slowly)
        lazy.end.close()
        subprocess.run([mount.path("true")], check=True, timeout=WITHIN)
        with (
            mount.path("d/033").open("rb") as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapping,
        ):
            assert mapping[SIZE - 10 :] == contents(33)[-10:]
            assert mapping[:] == contents(33)
        mount.server.stop()
        assert os.waitpid(fetcher, 0)[1] == 0  # it ends with the server

    lazy.mounting.run([layer()], scenario, writable=writable)


def test_copy_up_waits(lazy: Lazy) -> None:
    """An open for writing, a chmod, a link and a rename of what is absent; nothing is half done."""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        def append() -> bytes:
            with mount.path("d/050").open("ab") as file:
                file.write(b"more")
            return mount.path("d/050").read_bytes()

        with ThreadPoolExecutor(4) as threads:
            done = [
                threads.submit(append),
                threads.submit(os.chmod, mount.path("d/051"), 0o600),
            ]
            fetcher.wait_for(2)
            assert not os.listdir(mount.upper)
            for question in fetcher.asked:
                fetcher.answer(question)
            fetcher.answers = None
            assert done[0].result(WITHIN) == contents(50) + b"more"
            done[1].result(WITHIN)
        assert mount.path("d/051").stat().st_mode & 0o777 == 0o600
        fetcher.answers = never
        with ThreadPoolExecutor(1) as threads:
            before = len(fetcher.asked)
            renamed = threads.submit(os.rename, mount.path("d/052"), mount.path("new"))
            fetcher.wait_for(before + 1)
            assert mount.path("d/050").read_bytes().endswith(b"more")
            for question in fetcher.asked[before:]:
                fetcher.answer(question)
            fetcher.answers = None
            renamed.result(WITHIN)
        os.link(mount.path("d/053"), mount.path("linked"))
        assert mount.path("new").read_bytes() == contents(52)
        assert not mount.path("d/052").exists()
        assert mount.path("linked").read_bytes() == contents(53)
        with mount.path("d/054").open("wb") as file:  # nothing of it is wanted
            file.write(b"new")
        offsets = {e.path: e.offset for e, _, _ in parse(lazy.tar.read_bytes())}
        starts = {question.offset for question in fetcher.asked}
        assert offsets[b"d/054"] // 10_000 * 10_000 + 10_000 not in starts

    lazy.run(scenario, never, writable=True)


def test_an_interrupted_request_ends(lazy: Lazy) -> None:
    """A signal ends what waits for the fetcher, in both ways that a request can come."""
    script = """
import os, signal, sys
def handler(*_): raise SystemExit(7)
signal.signal(signal.SIGINT, handler)
print("ready", flush=True)
os.chmod(sys.argv[1], 0o600) if sys.argv[3] == "chmod" else os.rename(sys.argv[1], sys.argv[2])
"""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        for number, what in enumerate(("chmod", "rename"), 60):
            path = mount.path(f"d/{number:03}")
            before = len(fetcher.asked)
            with subprocess.Popen(
                [sys.executable, "-c", script, path, mount.path("new"), what],
                stdout=subprocess.PIPE,
            ) as process:
                fetcher.wait_for(before + 1)
                process.send_signal(signal.SIGINT)
                assert process.wait(WITHIN) == 7
            for question in fetcher.asked[before:]:
                fetcher.answer(question)  # of no use any more, and no harm
            assert path.read_bytes() == contents(number)
            assert not mount.path("new").exists()

    lazy.run(scenario, never, writable=True)


@both_drivers
def test_a_reader_that_waits_can_be_killed(lazy: Lazy, *, writable: bool) -> None:
    """It is not left behind, and the file can be read by the next."""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        reader = subprocess.Popen(["cat", mount.path("d/070")], stdout=subprocess.DEVNULL)
        held = fetcher.wait_for(1)
        reader.kill()
        assert reader.wait(WITHIN) == -signal.SIGKILL
        fetcher.answers = None
        for question in held:
            fetcher.answer(question)
        assert mount.path("d/070").read_bytes() == contents(70)

    lazy.run(scenario, never, writable=writable)


@both_drivers
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_while_requests_wait(
    lazy: Lazy, number: signal.Signals, *, writable: bool
) -> None:
    """Who waits gets an error."""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(mount.path(f"d/{n:03}").read_bytes) for n in range(4)]
            fetcher.wait_for(4)
            mount.server.process.send_signal(number)
            for each in waiting:
                with pytest.raises(OSError, match=r"not connected|abort|Input/output"):
                    each.result(WITHIN)

    lazy.run(scenario, never, writable=writable)


@both_drivers
def test_the_order_of_first_uses_is_told(lazy: Lazy, *, writable: bool) -> None:
    """What was absent is asked for, what was there is noted; each once."""

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        lazy.bring("d/005")
        for path in ("d/009", "d/005", "d/007", "d/005"):
            mount.path(path).read_bytes()
        deadline = time.monotonic() + WITHIN
        while not fetcher.notes and time.monotonic() < deadline:
            time.sleep(0.01)
        offsets = {e.path: e.offset for e, _, _ in parse(lazy.tar.read_bytes())}
        first, last = offsets[b"d/005"], offsets[b"d/005"] + SIZE
        noted = [(note.offset, note.offset + note.length) for note in fetcher.notes]
        assert min(start for start, _ in noted) <= first
        assert max(end for _, end in noted) >= last
        assert all(not question.offset <= first < question.offset for question in fetcher.asked)

    lazy.run(scenario, writable=writable)


def test_without_a_fetcher_what_is_absent_is_eio(mounting: Mounting) -> None:
    """And what is there is read."""
    mounting.convert = make_lazy

    def scenario(mount: Mount) -> None:
        tar = mounting.folder / "layers" / "0.tar"
        (entry,) = [e for e, _, _ in parse(tar.read_bytes()) if e.path == b"d/001"]
        bring(tar, entry.offset, entry.size)
        assert mount.path("d/001").read_bytes() == contents(1)
        with pytest.raises(OSError, match="Input/output"):
            mount.path("d/044").read_bytes()

    mounting.run([layer()], scenario, writable=False)


def test_a_random_load(lazy: Lazy) -> None:
    """Delays of any length, failures in between: in the end everybody has everything."""
    lock = threading.Lock()

    def anyhow(fetcher: Fetcher, question: Asked) -> None:
        def later() -> None:
            with lock:
                fetcher.answer(question, errno.EIO if question.number % 5 == 0 else 0)

        threading.Timer(question.number * 7919 % 50 / 1000, later).start()

    def scenario(mount: Mount, fetcher: Fetcher) -> None:
        def read(number: int) -> bool:
            for _ in range(50):
                with contextlib.suppress(OSError):
                    return mount.path(f"d/{number:03}").read_bytes() == contents(number)
            return False

        mount.expects_log = True
        with ThreadPoolExecutor(32) as threads:
            assert all(threads.map(read, [*range(COUNT), *range(COUNT)]))

    def run(mount: Mount) -> None:
        lazy.server_end.close()
        fetcher = Fetcher(lazy.end, [lazy.tar], anyhow)
        fetcher.start()
        scenario(mount, fetcher)

    lazy.mounting.run([layer()], run, writable=True)
