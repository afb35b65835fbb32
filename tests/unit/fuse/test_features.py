"""What whoever mounts can switch off."""

import errno

import pytest

from fuse.features import Features

ACL = b"system.posix_acl_access"


@pytest.mark.parametrize(
    ("features", "name", "refusal"),
    [
        (Features(), b"user.a", 0),
        (Features(), ACL, 0),
        (Features(has_acls=False), b"user.a", 0),
        (Features(has_acls=False), b"", 0),
        (Features(has_acls=False), ACL, errno.EOPNOTSUPP),
        (Features(has_acls=False), b"system.posix_acl_default", errno.EOPNOTSUPP),
        (Features(has_xattrs=False), b"user.a", errno.ENOSYS),
        (Features(has_xattrs=False), b"", errno.ENOSYS),
        (Features(has_xattrs=False, has_acls=False), ACL, errno.ENOSYS),
    ],
)
def test_what_is_offered(features: Features, name: bytes, refusal: int) -> None:
    """ENOSYS says "never ask again", EOPNOTSUPP speaks of one name."""
    if not refusal:
        features.require_xattr(name)
        return
    with pytest.raises(OSError, match=r".") as caught:
        features.require_xattr(name)
    assert caught.value.errno == refusal
