"""`rootless.lazy.ranges`: what is asked for in one request."""

from hypothesis import given
from hypothesis import strategies as st

from rootless.lazy.ranges import JOIN, MOST, BlobMap, Part, Run

KIB = 1 << 10


def absent(_: int) -> bool:
    """Nothing is there yet."""
    return False


def test_a_blob_is_its_chunks_and_the_gaps() -> None:
    """Every byte belongs to a chunk or to a gap; a chunk that is not in the blob has no part."""
    blob = BlobMap([(10, 5), (0, 0), (15, 5), (30, 10)], 50)
    assert list(blob.inside(Run(0, 50))) == [
        Part(0, 10, ~0),
        Part(10, 15, 0),
        Part(15, 20, 2),
        Part(20, 30, ~1),
        Part(30, 40, 3),
        Part(40, 50, ~2),
    ]
    assert blob.gap_count == 3


def test_only_whole_parts_are_inside() -> None:
    """A part that is cut by a run's end is not got by it."""
    blob = BlobMap([(10, 5), (15, 5)], 20)
    assert [part.owner for part in blob.inside(Run(10, 19))] == [0]


def test_neighbours_are_one_request() -> None:
    """Chunks that lie near each other are joined, those far apart are not."""
    blob = BlobMap([(0, KIB), (10 * KIB, KIB), (11 * KIB + JOIN + 1, KIB)], 1 << 20)
    assert blob.runs_for([1, 0], absent) == [Run(0, 11 * KIB)]
    assert len(blob.runs_for([0, 1, 2], absent)) == 2


def test_a_request_is_bounded() -> None:
    """Neighbours are no longer joined where the request would get too long."""
    half = MOST // 2 + 1
    blob = BlobMap([(0, half), (half, half)], 2 * half)
    assert blob.runs_for([0, 1], absent) == [Run(0, half), Run(half, 2 * half)]


def test_reading_ahead() -> None:
    """What lies behind is fetched along, as far as was said, and not what is there already."""
    blob = BlobMap([(n * KIB, KIB) for n in range(100)], 100 * KIB)
    assert blob.runs_for([3], absent, 10 * KIB) == [Run(3 * KIB, 14 * KIB)]
    assert blob.runs_for([3], lambda owner: owner > 5, 10 * KIB) == [Run(3 * KIB, 6 * KIB)]
    far = BlobMap([(n * KIB, KIB) for n in range(200)], 200 * KIB)
    there = range(4, 4 + JOIN // KIB + 1)
    assert far.runs_for([3], lambda owner: owner in there, MOST) == [Run(3 * KIB, 4 * KIB)]


def test_the_rest_in_order() -> None:
    """The background asks from the first byte that is missing, and ends when none is."""
    blob = BlobMap([(10, 5), (15, 5)], 30)
    there: set[int] = {~0}
    assert blob.next_run(0, 5, there.__contains__) == Run(10, 15)
    assert blob.next_run(0, 1, there.__contains__) == Run(10, 15)
    assert blob.next_run(0, 100, there.__contains__) == Run(10, 30)
    there |= {0, 1, ~1}
    assert blob.next_run(0, 100, there.__contains__) is None


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 50)), max_size=20),
    st.integers(1, 200),
    st.data(),
)
def test_everything_comes_in_the_end(
    chunks: list[tuple[int, int]], most: int, data: st.DataObject
) -> None:
    """Run after run every part is got, whichever were there, and chunks that overlap too."""
    blob = BlobMap(chunks, 450)
    parts = list(blob.inside(Run(0, 450)))
    owners = [part.owner for part in parts]
    there = set(data.draw(st.lists(st.sampled_from(owners)))) if owners else set()
    for _ in range(len(parts) + 1):
        run = blob.next_run(0, most, there.__contains__)
        if run is None:
            break
        got = {part.owner for part in blob.inside(run)}
        assert got - there
        there |= got
    assert there == set(owners)
    for number, (place, stored) in enumerate(chunks):
        if stored:
            runs = blob.runs_for([number], absent, most)
            assert any(part.owner == number for part in blob.inside(runs[0]))
            assert runs[0].start == place
