"""The features document (runtime-spec features.md)."""

import json

from rootless.runtime.features import features
from rootless.runtime.mount_options import known_options


def test_what_is_told() -> None:
    """It is JSON with the members that engines look at, and tells only what is there."""
    document = json.loads(json.dumps(features()))
    assert document["ociVersionMin"] <= "1.0.2" <= document["ociVersionMax"]
    assert "createContainer" in document["hooks"]
    assert set(document["mountOptions"]) == set(known_options())
    assert {"mount", "pid", "user"} <= set(document["linux"]["namespaces"])
    assert "CAP_SYS_ADMIN" in document["linux"]["capabilities"]
