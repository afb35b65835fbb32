"""`rootless.lazy.order`: the order of the first run is there for the next."""

from contextlib import closing
from pathlib import Path

from rootless.lazy.order import Order


def test_each_chunk_once_in_the_order_of_the_first_demand(tmp_path: Path) -> None:
    """What is asked for again keeps its place."""
    path = tmp_path / "order"
    with closing(Order(path, 100)) as order:
        order.note([5, 6])
        order.note([1, 5, 2])
    with closing(Order(path, 100)) as order:
        assert list(order) == [5, 6, 1, 2]
        order.note([2, 3])
        assert list(order) == [5, 6, 1, 2, 3]
    with closing(Order(path, 100)) as order:
        assert list(order) == [5, 6, 1, 2, 3]


def test_damage_is_left_out(tmp_path: Path) -> None:
    """Half a number, and a number that no chunk has, are no hint; what comes after is kept."""
    path = tmp_path / "order"
    path.write_bytes((9).to_bytes(4, "little") + (1).to_bytes(4, "little") + b"\x05\x00")
    with closing(Order(path, 8)) as order:
        assert list(order) == [1]
        order.note([2])
    with closing(Order(path, 8)) as order:
        assert list(order) == [1, 2]
