"""What is not for a holder."""

import pytest

from rootless.errors import InvalidInput
from rootless.keeper.plan import Declined, _command_in, ask


@pytest.mark.parametrize(
    "words",
    [
        ["ps"],
        ["run", "--no-such-option", "image"],
        ["run", "--bundle", "."],
        ["run", "--health-cmd", "true", "image"],
        ["run", "-d", "--verify-key", "key", "image"],
    ],
)
def test_what_it_does_not_serve(words: list[str]) -> None:
    """Such a run is declined before anything is looked up."""
    with pytest.raises(Declined):
        ask(words)


def test_what_is_wrong_is_told_as_ever() -> None:
    """A fault in the words is the error that the ordinary run tells."""
    with pytest.raises(InvalidInput):
        ask(["run", "--network", "nowhere", "image"])


@pytest.mark.parametrize(
    ("own", "words", "command"),
    [
        (["image", "echo", "hi"], ["image", "echo", "hi"], ("echo", "hi")),
        (["image"], ["image"], ()),
        (["echo", "hi"], ["image", "echo", "hi"], ("echo", "hi")),
        ([], ["image", "of", "profile"], ()),
        (["image"], ["image", "of", "profile"], ()),
        (["image"], ["image", "image"], ()),
    ],
)
def test_what_of_the_words_is_the_command(
    own: list[str], words: list[str], command: tuple[str, ...]
) -> None:
    """Words that profiles made are not at the end of the command line's; in doubt none are."""
    assert _command_in(own, words) == command
