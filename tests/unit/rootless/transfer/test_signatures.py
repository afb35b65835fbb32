"""`rootless.transfer.signatures`: what is asked of an image, by a policy and by keys."""

import json
from types import SimpleNamespace
from typing import Any, cast

import images
import pytest
import signing
import trio
from signing import Signer

from rootless.errors import IntegrityError, InvalidInput
from rootless.oci.reference import parse_reference
from rootless.signature.keys import parse_key
from rootless.signature.policy import ACCEPT_ALL, Policy, parse_policy
from rootless.transfer.pull_options import Offer
from rootless.transfer.signatures import offer_check, place_check

SIGNER = Signer.make()
KEY = parse_key(SIGNER.pem, "cosign.pub")
MANIFEST, INDEX = images.digest(b"manifest"), images.digest(b"index")
ACCEPT, REJECT = [{"type": "insecureAcceptAnything"}], [{"type": "reject"}]


def policy(default: Any, **transports: Any) -> Policy:
    """Return a policy."""
    data = json.dumps({"default": default, "transports": transports}).encode()
    return parse_policy(data, "policy.json")


def offer(repository: signing.Repository, *, has_index: bool = False) -> Offer:
    """Return what a registry offers as `r.example/x:1`."""
    manifest, index = SimpleNamespace(digest=MANIFEST), SimpleNamespace(digest=INDEX)
    parts = (repository, None, manifest, index if has_index else None)
    return Offer(parse_reference("r.example/x:1"), *cast("tuple[Any, Any, Any, Any]", parts))


def test_nothing_is_asked_where_nothing_is_required() -> None:
    """No policy, or one that accepts everything, costs nothing."""
    for accepting in (ACCEPT_ALL, policy(ACCEPT, docker={"r.example": ACCEPT})):
        assert offer_check(accepting, ()) is None
        assert place_check(accepting, ()) is None


@pytest.mark.parametrize(("digest", "has_index"), [(MANIFEST, False), (INDEX, True)])
def test_a_key(digest: str, *, has_index: bool) -> None:
    """It must have signed the manifest, or the index that leads there."""
    check = offer_check(ACCEPT_ALL, [KEY])
    assert check is not None
    repository = signing.Repository()
    with pytest.raises(IntegrityError, match="image is not signed"):
        trio.run(check, offer(repository, has_index=has_index))
    payload = signing.payload("r.example/x:1", digest)
    repository.attach(digest, (payload, SIGNER.sign(payload)))
    trio.run(check, offer(repository, has_index=has_index))


def test_a_policy_and_a_key() -> None:
    """Both must be content."""
    repository = signing.Repository()
    payload = signing.payload("r.example/x:1", MANIFEST)
    repository.attach(MANIFEST, (payload, SIGNER.sign(payload)))
    rejecting = offer_check(policy(REJECT), [KEY])
    assert rejecting is not None
    with pytest.raises(IntegrityError, match="signature policy refuses"):
        trio.run(rejecting, offer(repository))
    accepting = offer_check(policy(REJECT, docker={"r.example": ACCEPT}), [KEY])
    assert accepting is not None
    trio.run(accepting, offer(repository))


def test_places() -> None:
    """A key cannot be satisfied there; a policy goes by the transport and the path."""
    with_key = place_check(ACCEPT_ALL, [KEY])
    assert with_key is not None
    with pytest.raises(InvalidInput, match="image has no signature to be verified: /x"):
        with_key("oci", "/x")
    check = place_check(policy(REJECT, oci={"/srv": ACCEPT}), ())
    assert check is not None
    check("oci", "/srv/x")
    for transport, path in (("oci", "/tmp/x"), ("oci-archive", "/srv/x"), ("docker-archive", "-")):
        with pytest.raises(IntegrityError, match="signature policy refuses"):
            check(transport, path)
