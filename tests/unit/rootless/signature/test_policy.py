"""`rootless.signature.policy`: what a policy.json says of an image, and when it says nothing."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from signing import Signer

from rootless.errors import InvalidInput, NotFound
from rootless.oci.reference import parse_reference
from rootless.signature import policy as policy_module
from rootless.signature.identity import ExactRepository, MatchRepoDigestOrExact, RemapIdentity
from rootless.signature.keys import KeyFile, PublicKey
from rootless.signature.policy import (
    ACCEPT_ALL,
    Accept,
    Policy,
    Reject,
    Requirement,
    SigstoreSigned,
    load_policy,
    parse_policy,
)
from rootless.signature.scopes import path_place, registry_place

ACCEPT = [{"type": "insecureAcceptAnything"}]
REJECT = [{"type": "reject"}]
SIGNED = {"type": "sigstoreSigned", "keyPath": "/key.pub"}


def parsed(document: Any) -> Policy:
    """Parse a policy."""
    return parse_policy(json.dumps(document).encode(), "policy.json")


def required(**changes: Any) -> Requirement:
    """Return the requirement that is a change of `sigstoreSigned`."""
    document = {"default": [{k: v for k, v in (SIGNED | changes).items() if v is not None}]}
    (found,) = parsed(document).default
    return found


def found_for(policy: Policy, name: str) -> tuple[Requirement, ...]:
    """Return what a policy requires of an image in a registry."""
    return policy.requirements(registry_place(parse_reference(name)))


def test_the_longest_scope_counts() -> None:
    """And it alone: what is said more generally is not looked at."""
    scopes = {
        "": REJECT,
        "r.example": ACCEPT,
        "r.example/a": REJECT,
        "r.example/a/b": ACCEPT,
        "r.example/a/b:1": REJECT,
        "*.sub.example": ACCEPT,
        "*.example": REJECT,
    }
    policy = parsed({"default": REJECT, "transports": {"docker": scopes}})
    accepted = [
        name
        for name in (
            "r.example/x:1",
            "r.example/a/x:1",
            "r.example/a/b:1",
            "r.example/a/b:2",
            "r.example/ab:1",
            "www.sub.example/x:1",
            "www.other.example/x:1",
            "elsewhere.org/x:1",
        )
        if found_for(policy, name) == (Accept(),)
    ]
    assert accepted == ["r.example/x:1", "r.example/a/b:2", "r.example/ab:1", "www.sub.example/x:1"]


def test_defaults() -> None:
    """The transport's before that of all."""
    policy = parsed({"default": REJECT, "transports": {"oci": {"": ACCEPT}}})
    assert found_for(policy, "r.example/x:1") == (Reject(),)
    assert policy.requirements(path_place("oci", "/x")) == (Accept(),)
    assert policy.requirements(path_place("dir", "/x")) == (Reject(),)
    assert parsed({"default": ACCEPT}).requirements(path_place("dir", "/x")) == (Accept(),)


def test_paths() -> None:
    """A folder stands for what is in it."""
    scopes = {"/srv/images": ACCEPT, "/srv/images/bad": REJECT}
    policy = parsed({"default": REJECT, "transports": {"oci-archive": scopes}})
    assert policy.requirements(path_place("oci-archive", "/srv/images/x.tar")) == (Accept(),)
    assert policy.requirements(path_place("oci-archive", "/srv/images/bad/x.tar")) == (Reject(),)
    assert policy.requirements(path_place("oci-archive", "/srv/imagesx")) == (Reject(),)


def test_signed_by_a_key() -> None:
    """In a file, which is read when it is needed, or in the policy itself."""
    assert required() == SigstoreSigned((KeyFile("/key.pub"),), MatchRepoDigestOrExact())
    several = required(keyPath=None, keyPaths=["/a", "/b"])
    assert isinstance(several, SigstoreSigned)
    assert several.keys == (KeyFile("/a"), KeyFile("/b"))
    pem = Signer.make().pem
    data = base64.b64encode(pem).decode()
    for changes in ({"keyData": data}, {"keyDatas": [data]}):
        found = required(keyPath=None, **changes)
        assert isinstance(found, SigstoreSigned)
        (key,) = found.keys
        assert isinstance(key, PublicKey)
        assert key.pem == pem


def test_identities() -> None:
    """Each has its own fields."""
    exact = {"type": "exactRepository", "dockerRepository": "debian"}
    found = required(signedIdentity=exact)
    assert isinstance(found, SigstoreSigned)
    assert found.identity == ExactRepository("docker.io/library/debian")
    remap = {"type": "remapIdentity", "prefix": "m.example", "signedPrefix": "r.example"}
    found = required(signedIdentity=remap)
    assert isinstance(found, SigstoreSigned)
    assert found.identity == RemapIdentity("m.example", "r.example")
    for kind in ("matchExact", "matchRepoDigestOrExact", "matchRepository", "exactReference"):
        identity = {"type": kind}
        if kind == "exactReference":
            identity["dockerReference"] = "r.example/x:1"
        found = required(signedIdentity=identity)
        assert isinstance(found, SigstoreSigned)
        assert kind.lower() == type(found.identity).__name__.lower()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/x"}, "GPG signature"),
        (SIGNED | {"rekorPublicKeyPath": "/x"}, r"entry in a log \(rekorPublicKeyPath\)"),
        (
            {"type": "sigstoreSigned", "fulcio": {"caPath": "/x"}},
            r"by a certificate \(fulcio\)",
        ),
        ({"type": "sigstoreSigned", "pki": {}}, r"by a certificate \(pki\)"),
    ],
)
def test_what_cannot_be_checked(document: dict[str, Any], reason: str) -> None:
    """It is read, and refuses: never is it taken for nothing."""
    (found,) = parsed({"default": [document]}).default
    assert isinstance(found, Reject)
    assert re.search(reason, found.reason)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "default is missing"),
        ({"default": []}, "default is empty"),
        ({"default": None}, "default is missing"),
        ({"default": {}}, "default is not an array"),
        ({"default": ACCEPT, "defualt": REJECT}, "unknown field 'defualt'"),
        ({"default": [{"type": "accept"}]}, "unknown requirement 'accept'"),
        ({"default": [{}]}, "type is missing"),
        ({"default": [{"type": "reject", "x": 1}]}, "unknown field 'x'"),
        ({"default": [{"type": "insecureAcceptAnything", "x": None}]}, "unknown field 'x'"),
        ({"default": ACCEPT, "transports": {"docker": {"r.example": []}}}, "is empty"),
        ({"default": ACCEPT, "transports": {"docker": {"r.example": None}}}, "is missing"),
        ({"default": ACCEPT, "transports": {"docker": None}}, "is missing"),
        ({"default": ACCEPT, "transports": {"docker": []}}, "is not an object"),
        ({"default": [{"type": "sigstoreSigned"}]}, "needs exactly one of keyPath"),
        ({"default": [SIGNED | {"keyData": ""}]}, "needs exactly one of keyPath"),
        ({"default": [SIGNED | {"keypath": "/x"}]}, "unknown field 'keypath'"),
        ({"default": [{"type": "sigstoreSigned", "keyData": "?"}]}, "keyData is not base64"),
        ({"default": [{"type": "sigstoreSigned", "keyPaths": []}]}, "keyPaths is empty"),
        ({"default": [SIGNED | {"signedIdentity": {"type": "any"}}]}, "unknown identity 'any'"),
        (
            {"default": [SIGNED | {"signedIdentity": {"type": "matchExact", "prefix": "x"}}]},
            "unknown field 'prefix'",
        ),
        (
            {
                "default": [
                    SIGNED | {"signedIdentity": {"type": "exactReference", "dockerReference": "x"}}
                ]
            },
            "has neither a tag nor a digest",
        ),
        ({"default": [{"type": "signedBy"}]}, "needs exactly one of keyPath"),
    ],
)
def test_policies_that_are_none(document: dict[str, Any], reason: str) -> None:
    """The whole file is refused, with the place in it."""
    with pytest.raises(
        InvalidInput, match=f"signature policy policy.json is not valid: .*{reason}"
    ):
        parsed(document)


def test_a_field_that_is_there_twice() -> None:
    """Another reader might take the other one."""
    data = b'{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}'
    with pytest.raises(InvalidInput, match="'default' is there twice"):
        parse_policy(data, "policy.json")


def test_where_the_policy_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that is named; else the user's; else the machine's; else none."""
    own, system, named = tmp_path / ".config/containers/policy.json", tmp_path / "s", tmp_path / "n"
    own.parent.mkdir(parents=True)
    monkeypatch.setattr(policy_module, "SYSTEM_PATH", str(system))
    environ = {"HOME": str(tmp_path)}
    assert load_policy("", environ) == load_policy("", {}) == ACCEPT_ALL
    for path in (system, own, named):
        path.write_text(json.dumps({"default": REJECT}))
    assert load_policy("", {}).path == str(system)
    assert load_policy("", environ).path == str(own)
    assert load_policy(str(named), environ).path == str(named)
    with pytest.raises(NotFound, match=r"no such signature policy: .*/missing"):
        load_policy(str(tmp_path / "missing"), environ)


def test_a_policy_that_cannot_be_read(tmp_path: Path) -> None:
    """It is not one that is missing."""
    (tmp_path / ".config/containers/policy.json").mkdir(parents=True)
    with pytest.raises(InvalidInput, match=r"signature policy cannot be read: .*Is a directory"):
        load_policy("", {"HOME": str(tmp_path)})
