"""`rootless.image.lock`: who waits for whom, between descriptors and between processes."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rootless.errors import Conflict, StoreError
from rootless.image import lock

_HOLDER = """
import sys
from pathlib import Path
from rootless.image import lock
with lock.exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A lock file that is not there yet."""
    return tmp_path / "object.lock"


def is_held(path: Path) -> bool:
    """Tell whether somebody has the lock, alone or together."""
    fd = os.open(path, os.O_RDWR)
    try:
        return not lock.try_lock(fd)
    finally:
        os.close(fd)


def test_alone(path: Path) -> None:
    """The file is there and locked while the lock is held, and gone afterwards."""
    with lock.exclusive(path):
        assert is_held(path)
    assert not path.exists()


def test_an_error_lets_go(path: Path) -> None:
    """The lock ends with the block, however the block ends."""
    with pytest.raises(ZeroDivisionError), lock.exclusive(path):
        raise ZeroDivisionError
    assert not path.exists()
    with pytest.raises(ZeroDivisionError), lock.shared(path):
        raise ZeroDivisionError
    assert not is_held(path)


def test_together(path: Path) -> None:
    """Several hold a shared lock at once; nobody gets it alone meanwhile."""
    with lock.shared(path), lock.shared(path):
        assert is_held(path)
        with pytest.raises(Conflict), lock.exclusive_within(path, 0):
            pytest.fail("alone beside others")
    assert not is_held(path)


def test_impatient(path: Path) -> None:
    """Who waits only so long is told which lock is in use; the holder keeps it."""
    with lock.exclusive(path):
        with pytest.raises(Conflict) as caught, lock.exclusive_within(path, 0.06):
            pytest.fail("two at once")
        assert str(caught.value) == f"in use by another process: {path}"
        assert is_held(path)


def test_patient(path: Path) -> None:
    """A lock that becomes free in time is got, and leaves its file for the next one."""
    release = threading.Timer(0.02, lambda: os.close(fd))
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_SH)
    release.start()
    with lock.exclusive_within(path, 10):
        assert is_held(path)
    release.join()
    assert not is_held(path)


def test_who_waited_holds_the_file_of_that_name(
    path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """A holder takes the file away; who waited for it locks the one that others will find."""
    found: list[bool] = []

    def wait_for_it() -> None:
        with lock.exclusive(path):
            found.append(is_held(path))

    with lock.exclusive(path):
        waiter = threading.Thread(target=wait_for_it)
        waiter.start()
        wait_until(lambda: len(_descriptors(path)) == 2)
        assert found == []
    waiter.join(10)
    assert found == [True]
    assert not path.exists()


def _descriptors(path: Path) -> list[str]:
    targets = []
    for name in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:  # the listing's own
            continue
    return [target for target in targets if target.startswith(str(path))]


def test_one_at_a_time(path: Path) -> None:
    """However often the file comes and goes, two are never inside."""
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(50):
            with lock.exclusive(path):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(most) == 200
    assert max(most) == 1


def test_a_killed_process(path: Path) -> None:
    """`kill -9` lets go of the lock; the file it leaves serves the next holder, who removes it."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(path)
        with pytest.raises(Conflict), lock.exclusive_within(path, 0):
            pytest.fail("two at once")
        holder.kill()
    assert path.exists()
    with lock.exclusive(path):
        assert is_held(path)
    assert not path.exists()


@pytest.mark.parametrize("hold", [lock.exclusive, lock.shared])
def test_no_folder(hold: Callable[[Path], object], tmp_path: Path) -> None:
    """A lock file that cannot be made is an error of the store that names it."""
    path = tmp_path / "missing" / "object.lock"
    with pytest.raises(StoreError) as caught, hold(path):  # type: ignore[attr-defined]
        pytest.fail("held")
    assert str(caught.value) == f"no such file or directory: {path}"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(
    number: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where flock(2) does not work nothing is held, and the way out is said."""

    def refuse(fd: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreError) as caught, lock.exclusive(path):
        pytest.fail("held")
    assert (caught.value.what, caught.value.on) == ("file system without file locks", str(path))
    assert "ROOTLESS_HOME" in caught.value.fix
    with path.open("rb") as file:
        assert not lock.try_lock(file.fileno())


def test_interrupted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting leaves no descriptor behind, and nothing locked."""

    def interrupt(fd: int, operation: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", interrupt)
        with pytest.raises(KeyboardInterrupt), lock.exclusive(path):
            pytest.fail("held")
    assert _descriptors(path) == []
    assert not is_held(path)


def test_if_free(path: Path) -> None:
    """Who only tries is told whether it has the lock, and waits for nobody."""
    with lock.exclusive_if_free(path) as first:
        assert first
        with lock.exclusive_if_free(path) as second:
            assert not second
        assert is_held(path)
    assert not path.exists()
    with lock.shared(path), lock.exclusive_if_free(path) as third:
        assert not third
    with lock.exclusive_if_free(path) as fourth:
        assert fourth
