"""`rootless.bundle.locales`: locales that an image has."""

from rootless.bundle.locales import fitting

GIVEN = ("LANG=de_DE.UTF-8", "LC_TIME=en_GB.UTF-8", "LC_ALL=", "A=de_DE.UTF-8", "LC_NAME=C")


def test_what_the_image_lacks() -> None:
    """A locale that is not there becomes one that always is; other variables stay."""
    found = fitting(GIVEN, lambda _: False, lambda _: False)
    assert found == ("LANG=C.UTF-8", "LC_TIME=C.UTF-8", "LC_ALL=", "A=de_DE.UTF-8", "LC_NAME=C")


def test_what_the_image_has() -> None:
    """Its folder has the locale's name or its normal form; an archive may hold any."""
    asked = []

    def has(path: bytes) -> bool:
        asked.append(path)
        return path == b"usr/lib/locale/de_DE.utf8"

    assert fitting(("LANG=de_DE.UTF-8",), lambda _: False, has) == ("LANG=de_DE.UTF-8",)
    assert asked == [b"usr/lib/locale/de_DE.UTF-8", b"usr/lib/locale/de_DE.utf8"]
    assert fitting(GIVEN, lambda _: True, lambda _: False) == GIVEN
    assert fitting(("LANG=../x",), lambda _: False, lambda _: True) == ("LANG=C.UTF-8",)
