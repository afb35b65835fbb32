"""`rootless.build.advice`: what is allowed, and hardly meant."""

import pytest
from containerfiles import parsed

from rootless.build.advice import advice
from rootless.build.stages import plan


def said(text: str, **given: str) -> tuple[str, ...]:
    """Return the advice on a file."""
    instructions = parsed(text)
    return advice(instructions, plan(instructions, "", given))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("CMD ['a', 'b']", "taken as words of a shell, as it is no JSON array"),
        ('ENTRYPOINT ["a" "b"]', "taken as words of a shell"),
        ('HEALTHCHECK CMD ["a", b]', "taken as words of a shell"),
        (
            "ENV API_TOKEN=x",
            "ENV API_TOKEN can be read in the image (--secret gives it to one RUN)",
        ),
        ("ENV A=1 DB_PASSWORD=x", "ENV DB_PASSWORD can be read"),
        ("ARG GITHUB_SECRET", "ARG GITHUB_SECRET can be read"),
        ("ENV API_KEY=x", "ENV API_KEY can be read"),
        ("COPY --from=bases a b", "no stage is called bases, so it is an image (did you mean bas"),
    ],
)
def test_advice(line: str, says: str) -> None:
    """One line with its place."""
    (found,) = said(f"FROM a AS base\nFROM b\n{line}")
    assert found.startswith(f"Containerfile:3: {says}")


@pytest.mark.parametrize(
    "line",
    [
        'CMD ["a", "b"]',
        "RUN [ -f x ] && y",
        'RUN [ "$x" = "y" ]',
        "ENV TOKENS=1 KEYBOARD=us PUBLIC_TOKEN=x",
        "ARG SECRETARY",
        "COPY --from=base a b",
        "COPY --from=nginx a b",
        "COPY --from=0 a b",
    ],
)
def test_nothing_to_say(line: str) -> None:
    """What is usual is passed over."""
    assert said(f"FROM a AS base\nFROM b\n{line}") == ()


def test_the_last_one_counts() -> None:
    """A second ENTRYPOINT replaces the first, in either form; another stage has its own."""
    text = 'FROM a\nENTRYPOINT ["x"]\nCMD y\nENTRYPOINT z\nFROM b\nENTRYPOINT x\n'
    assert said(text) == ("Containerfile:4: ENTRYPOINT replaces the one in line 2",)


def test_values_that_nothing_asks_for() -> None:
    """A given value that no ARG declares does nothing; proxies need none."""
    text = "ARG A\nFROM a AS s\nONBUILD ARG D\nARG B=1\nFROM s"
    found = said(text, A="1", B="2", C="3", D="4", http_proxy="p", SOURCE_DATE_EPOCH="0")
    assert found == ("--build-arg C: no ARG of the file declares it",)
