"""`rootless.build.owner`: --chown by the image's own accounts; as buildah 1.28 has it."""

import copying
import images
import pytest

from rootless.build.owner import owner_of
from rootless.errors import InvalidInput
from rootless.image import trees

LAYER = (
    images.LayerBuilder()
    .file("etc/passwd", b"sync:x:4:65534::/bin:/bin/sync\nbin:x:2:2::/:/x\n")
    .file("etc/group", b"games:x:60:\nfour:x:4:\n")
)


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("", None),
        ("4", (4, 4)),  # docker and buildah do not ask the image about a number alone
        ("777", (777, 777)),
        ("sync", (4, 65534)),
        ("bin:games", (2, 60)),
        ("sync:5", (4, 5)),
        ("777:games", (777, 60)),
        ("1:2", (1, 2)),
    ],
)
def test_names_and_numbers(stage: copying.Stage, text: str, owner: tuple[int, int] | None) -> None:
    """Names are the image's; a number alone is the group's too."""
    stage.on(LAYER)
    diff_ids = stage.state.diff_ids
    place = trees.located(stage.store, diff_ids)
    assert owner_of(text, stage.store, diff_ids, place) == owner


def test_unknown(stage: copying.Stage) -> None:
    """A name that the image does not know is no owner; an image without files knows none."""
    stage.on(LAYER)
    diff_ids = stage.state.diff_ids
    place = trees.located(stage.store, diff_ids)
    with pytest.raises(InvalidInput, match="no such user in the image's /etc/passwd: me"):
        owner_of("me", stage.store, diff_ids, place)
    with pytest.raises(InvalidInput, match="no such group in the image's /etc/group: us"):
        owner_of("bin:us", stage.store, diff_ids, place)
    with pytest.raises(InvalidInput, match="no such user"):
        owner_of("bin", stage.store, (), None)
    assert owner_of("3", stage.store, (), None) == (3, 3)
