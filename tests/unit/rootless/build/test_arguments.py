"""`rootless.build.arguments`: where the value of an ARG comes from."""

from rootless.build.arguments import BuildArguments, platform_arguments
from rootless.oci.descriptor import Platform


def test_what_is_given_comes_first() -> None:
    """`--build-arg` before the instruction's default, that before what stands before FROM."""
    arguments = BuildArguments({"A": "given"}, {"A": "outer", "B": "outer"})
    assert arguments.value("A", "own") == "given"
    assert arguments.value("B", "own") == "own"
    assert arguments.value("B", "") == ""
    assert arguments.value("B", None) == "outer"
    assert arguments.value("C", None) is None


def test_proxies_need_no_arg() -> None:
    """The predefined ones reach RUN when they are given, in both spellings; no other one does."""
    given = {"http_proxy": "h", "NO_PROXY": "n", "Http_Proxy": "x", "A": "a"}
    assert BuildArguments(given).predefined == {"http_proxy": "h", "NO_PROXY": "n"}


def test_platforms() -> None:
    """The automatic ARGs of the reference; a platform without a variant has an empty one."""
    made = platform_arguments(Platform("linux", "arm", "v7"), Platform("linux", "amd64", ""))
    assert made == {
        "TARGETPLATFORM": "linux/arm/v7",
        "TARGETOS": "linux",
        "TARGETARCH": "arm",
        "TARGETVARIANT": "v7",
        "BUILDPLATFORM": "linux/amd64",
        "BUILDOS": "linux",
        "BUILDARCH": "amd64",
        "BUILDVARIANT": "",
    }
