"""`rootless.build.output`: what --output says."""

import pytest

from rootless.build.output import Output, parse_output
from rootless.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("out", Output("out", is_tar=False)),
        ("-", Output("", is_tar=True)),
        ("type=local,dest=out", Output("out", is_tar=False)),
        ("dest=out", Output("out", is_tar=False)),
        ("type=tar,dest=a.tar", Output("a.tar", is_tar=True)),
        ("type=tar,dest=-", Output("", is_tar=True)),
    ],
)
def test_where_it_goes(text: str, output: Output) -> None:
    """A folder, a tar, or standard output."""
    assert parse_output(text) == output
    assert output.is_standard == (output.path == "")


@pytest.mark.parametrize("text", ["type=oci,dest=a", "type=tar", "type=local,dest=a,x=y"])
def test_what_is_none(text: str) -> None:
    """Other kinds, and no place."""
    with pytest.raises(InvalidInput, match="not an output"):
        parse_output(text)
