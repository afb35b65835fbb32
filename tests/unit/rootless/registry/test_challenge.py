"""The field WWW-Authenticate: RFC 9110, section 11.6.1."""

from hypothesis import given
from hypothesis import strategies as st

from rootless.registry.challenge import Challenge, parse_challenges


def test_bearer() -> None:
    """Quoted parameters may hold commas; names and schemes are in any case."""
    text = 'Bearer Realm="https://auth.example/token",service="x",scope="repository:a/b:pull,push"'
    parameters = {
        "realm": "https://auth.example/token",
        "service": "x",
        "scope": "repository:a/b:pull,push",
    }
    assert parse_challenges([text]) == (Challenge("bearer", parameters),)


def test_several() -> None:
    """Several challenges come in one field or in several; a backslash quotes."""
    one = 'Negotiate, Basic realm="a \\"b\\"", charset=UTF-8 , Bearer realm=x'
    expected = (
        Challenge("negotiate"),
        Challenge("basic", {"realm": 'a "b"', "charset": "UTF-8"}),
        Challenge("bearer", {"realm": "x"}),
    )
    assert parse_challenges([one]) == expected
    assert (
        parse_challenges(["Negotiate", 'Basic realm="a \\"b\\"",charset=UTF-8', "Bearer realm=x"])
        == expected
    )


def test_the_first_of_two_parameters_counts() -> None:
    """A parameter that comes twice cannot change what came first."""
    (challenge,) = parse_challenges(['Bearer realm="https://a", realm="https://b"'])
    assert challenge.parameters["realm"] == "https://a"


def test_nothing() -> None:
    """No field, an empty one and nonsense give no challenge."""
    for values in ([], [""], [" , ,"], ['"'], ["=x"]):
        assert parse_challenges(values) == ()


@given(st.lists(st.text(max_size=60), max_size=3))
def test_anything(values: list[str]) -> None:
    """Whatever a server sends, it is read without an error."""
    for challenge in parse_challenges(values):
        assert challenge.scheme == challenge.scheme.lower()
