"""`rootless.build.copy_words`: what a COPY or an ADD says."""

import pytest

from rootless.build.containerfile import parse
from rootless.build.copy_words import CopyWords, copy_words
from rootless.errors import BuildError


def words(text: str) -> CopyWords:
    """Return what an instruction says."""
    (instruction,) = parse(text.encode(), "F")
    return copy_words(instruction)


def test_all_of_it() -> None:
    """Flags, sources and here-documents."""
    found = words(
        "COPY --from=b --chown=1:2 --chmod=0755 --exclude=*.a --exclude=b --parents "
        "x <<-EOF http /d\n\thi\nEOF\n"
    )
    assert (found.source_name, found.chown, found.chmod) == ("b", "1:2", 0o755)
    assert (found.excludes, found.with_parents) == (("*.a", "b"), True)
    assert found.sources == ("x", "http")
    assert [each.content for each in found.documents] == ["hi\n"]
    assert not found.unpacks_files
    assert words("ADD a /b").unpacks_files
    assert not words("ADD --unpack=false a /b").unpacks_files
    digest = "sha256:" + "0" * 64
    added = words(f"ADD --checksum={digest} https://h/f /b")
    assert (added.addresses, added.checksum) == (("https://h/f",), digest)


@pytest.mark.parametrize(
    ("text", "path", "is_folder"),
    [
        ("COPY a b", "/w/b", False),
        ("COPY a b/", "/w/b", True),
        ("COPY a .", "/w", True),
        ("COPY a b/.", "/w/b", True),
        ("COPY a ..", "/", True),
        ("COPY a /w", "/w", True),
        ("COPY a /x/../../y", "/y", False),
        ("COPY a b /c", "/c", True),
        ('COPY ["a", "b c"]', "/w/b c", False),
    ],
)
def test_destinations(text: str, path: str, is_folder: bool) -> None:  # noqa: FBT001
    """A relative one begins at the working directory; some can be nothing but folders."""
    assert words(text).target("/w") == (path, is_folder)


def test_without_a_working_directory() -> None:
    """It is the root then."""
    assert words("COPY a b").target("") == ("/b", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("COPY --chmod=u+x a b", r"not permissions: u\+x"),
        ("COPY --chmod=10000 a b", "not permissions: 10000"),
        ("COPY --chmod=-1 a b", "not permissions"),
        ("COPY --exclude=[ a b", "not a pattern"),
        ('COPY ["", "b"]', "a source is empty"),
        ("COPY https://h/f b", "COPY fetches nothing: https://h/f"),
        ("ADD https://h/f.git b", "a git repository cannot be added"),
        ("ADD git@h:f b", "a git repository cannot be added"),
        ("ADD --checksum=sha256:1 https://h/f b", "not a digest: sha256:1 at --checksum"),
        ("ADD --checksum=sha256:1 f b", "--checksum is for a single address"),
    ],
)
def test_what_means_nothing(text: str, message: str) -> None:
    """One line with file and line."""
    with pytest.raises(BuildError, match=f"^F:1: {message}"):
        words(text)
