"""The counters of a cgroup, from files as the kernel writes them."""

from pathlib import Path

from rootless.runtime.cgroup_statistics import CgroupStatistics, read_statistics

FILES = {
    "cpu.stat": "usage_usec 300\nuser_usec 200\nsystem_usec 100\nnr_periods 5\nnr_throttled 2\n"
    "throttled_usec 40\n",
    "memory.current": "4096\n",
    "memory.max": "8192\n",
    "memory.peak": "5000\n",
    "memory.stat": "anon 1000\nfile 3000\ninactive_file 500\n",
    "memory.swap.current": "0\n",
    "memory.swap.max": "max\n",
    "memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
    "pids.current": "2\n",
    "pids.max": "max\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dios=0\n8:16 rbytes=5 wbytes=0\n7:0\n",
}


def test_all_counters(tmp_path: Path) -> None:
    """Every counter is read; no limit is None; disks are added up."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    assert read_statistics(tmp_path) == CgroupStatistics(
        cpu_usage=300,
        cpu_user=200,
        cpu_system=100,
        cpu_periods=5,
        cpu_throttled_periods=2,
        cpu_throttled=40,
        memory=4096,
        memory_max=8192,
        memory_peak=5000,
        memory_anon=1000,
        memory_file=3000,
        memory_inactive_file=500,
        swap=0,
        swap_max=None,
        oom_kills=1,
        pids=2,
        pids_max=None,
        io_read=15,
        io_written=20,
        io_reads=1,
        io_writes=2,
    )


def test_no_counters(tmp_path: Path) -> None:
    """A cgroup without controllers, or one that has gone, counts nothing."""
    assert read_statistics(tmp_path) == CgroupStatistics()
    assert read_statistics(tmp_path / "gone") == CgroupStatistics()


def test_an_idle_disk(tmp_path: Path) -> None:
    """An empty io.stat says nothing yet."""
    (tmp_path / "io.stat").write_text("")
    assert read_statistics(tmp_path).io_read is None
