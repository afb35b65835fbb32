"""`rootless.build.early`: faults that need no stage to be seen."""

import pytest
from containerfiles import one

from rootless.build.early import check_early
from rootless.errors import BuildError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("EXPOSE http", "not a port to expose: http (PORT[-PORT]"),
        ("STOPSIGNAL SIGNONE", "no such signal: SIGNONE"),
        ("HEALTHCHECK --retries=$A CMD b", "not a number of retries"),
        ("WORKDIR ''", "WORKDIR with an empty name: ''"),
        (
            "COPY 'a b' c",
            'a closing \' is missing: \'a (COPY ["SOURCE", "DESTINATION"] takes spaces)',
        ),
        ("COPY --chmod=99 a b", "not permissions: 99"),
        ("COPY --chmod=99 <<E /a\n$X\nE", "not permissions: 99"),
        ("ADD --checksum=x a b", "--checksum is for a single address"),
        ("RUN --mount=type=none,target=/x $A", "unknown type of mount: none"),
    ],
)
def test_refuses(text: str, says: str) -> None:
    """With the place, as the step would."""
    with pytest.raises(BuildError) as caught:
        check_early(one(text))
    assert f"Containerfile:2: {says}" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "EXPOSE $PORT",
        "USER $X",
        "COPY ${A:?must} b",
        "COPY --chmod=$M a b",
        "COPY <<E /a\n${X:?must}\nE",
        "COPY --chown=me a 'b' /d/",
        "RUN --mount=type=$T a 'b",
        "RUN --mount=type=cache,target=/x echo ${A:?} 'b",
        "RUN ''",
        'CMD ["$A"]',
        "ENV A=1",
        "ONBUILD RUN x",
    ],
)
def test_what_may_be_right(text: str) -> None:
    """A variable may make it right: it is judged where its value is known."""
    check_early(one(text))
