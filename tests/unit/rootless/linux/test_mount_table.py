"""The mounts of a namespace."""

import os

from rootless.linux import mount_table

TABLE = b"""\
22 1 8:1 / / rw shared:1 - ext4 /dev/sda rw
23 22 0:5 / /dev rw shared:2 master:7 - devtmpfs none rw
24 22 0:6 / /data rw - tmpfs none rw
25 24 0:7 / /data/a\\040b rw - tmpfs none rw
26 23 0:8 / /dev/shm rw propagate_from:2 - tmpfs none rw
"""


def test_what_a_copy_does_not_learn() -> None:
    """What lies on a shared mount arrives by itself; the root, and what lies elsewhere, not."""
    assert mount_table.unpropagated(TABLE).splitlines() == [
        b"22 1 8:1 / / rw shared:1 - ext4 /dev/sda rw",
        b"25 24 0:7 / /data/a\\040b rw - tmpfs none rw",
    ]
    private = TABLE.replace(b"shared:1 ", b"")
    assert len(mount_table.unpropagated(private).splitlines()) == 4


def test_the_whole_table_is_read() -> None:
    """However long it is; each line is there."""
    table = mount_table.read_own()
    with open(mount_table.MOUNTINFO, "rb") as file:
        assert table == file.read()
    fd = os.open(mount_table.MOUNTINFO, os.O_RDONLY)
    assert mount_table.read_from(fd) == mount_table.read_from(fd) == table
    os.close(fd)
