"""What runs keeps what it needs of the store, whatever is removed and collected meanwhile."""

import subprocess

import loading
from executable import Rootless


def test_a_run_without_a_name(demo_own: Rootless) -> None:
    """Its image is removed while it runs: it reads on, can be committed, and then all goes."""
    script = "echo up; read word; cat /etc/debian_version; echo $word > /said"
    running = demo_own.start(
        *("run", "-i", "debian-demo", "sh", "-c", f"{script}; read word"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    assert running.stdout.readline() == b"up\n"
    before = loading.objects(demo_own.home.store)
    demo_own.ok("rmi", "debian-demo")
    demo_own.ok("store", "gc")
    assert loading.objects(demo_own.home.store) == before
    assert demo_own.ok("store", "verify").endswith("all is well\n")
    running.stdin.write(b"on\n")
    running.stdin.flush()
    assert running.stdout.readline().startswith(b"12")
    (container,) = demo_own.ok("ps", "-q").split()
    demo_own.ok("commit", container, "kept")
    running.communicate(b"end\n", timeout=30)
    assert running.returncode == 0
    assert demo_own.ok("run", "kept", "cat", "/said") == "on\n"
    demo_own.ok("rmi", "kept")
    demo_own.ok("store", "gc")
    assert loading.objects(demo_own.home.store) == set()


def test_runs_among_collections(demo_own: Rootless) -> None:
    """Runs that begin while others collect and prune all find what they need."""
    running = []
    for number in range(4):
        words = ("run", "debian-demo", "sh", "-c", f"cat /etc/debian_version; exit {number}")
        running.append(demo_own.start(*words, stdout=subprocess.PIPE))
        demo_own.ok(*(("store", "gc"), ("system", "prune"))[number % 2])
    for number, process in enumerate(running):
        out, _ = process.communicate(timeout=60)
        assert process.returncode == number
        assert out.startswith(b"12")
