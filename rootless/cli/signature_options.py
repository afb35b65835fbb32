"""The options about signatures of the commands that bring images in."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from rootless.cli.option_groups import option

if TYPE_CHECKING:
    from rootless.signature.keys import PublicKey
    from rootless.signature.policy import Policy

_GROUP = "Signatures"

VerifyKey = Annotated[
    list[str] | None,
    option(
        "--verify-key",
        group=_GROUP,
        metavar="FILE",
        help_="Take the image only if this public key, or one of several, has signed it.",
    ),
]
SignaturePolicy = Annotated[
    str,
    option(
        "--signature-policy",
        group=_GROUP,
        metavar="FILE",
        help_="In place of ~/.config/containers/policy.json and /etc/containers/policy.json.",
    ),
]


def policy_and_keys(given: Mapping[str, Any]) -> "tuple[Policy, tuple[PublicKey, ...]]":
    """Return the policy and the keys that the options name.

    Raises:
        NotFound: A file is not there.
        InvalidInput: A file is not what it should be.
    """
    from rootless.signature.keys import read_key  # noqa: PLC0415 - only who asks a registry
    from rootless.signature.policy import load_policy  # noqa: PLC0415

    policy = load_policy(given["signature_policy"] or "", os.environ)
    return policy, tuple(read_key(path) for path in given["verify_key"] or ())
