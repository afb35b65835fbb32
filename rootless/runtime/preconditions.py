"""What of a spec cannot be carried out here: said before anything is made."""

import logging

from rootless.linux import capset
from rootless.oci.runtime_spec import Capabilities, Spec
from rootless.runtime import namespaces, security_modules

log = logging.getLogger(__name__)


def check(spec: Spec) -> None:
    """Raise InvalidInput or Precondition; warn of what the specification wants no error for."""
    namespaces.check(spec.linux)
    security_modules.check(spec)
    if spec.process.capabilities is not None:
        _warn_of_unknown(spec.process.capabilities)


def _warn_of_unknown(sets: Capabilities) -> None:
    """config.md, "Linux Process": a capability that there is not is logged, not refused."""
    named = {*sets.bounding, *sets.effective, *sets.permitted, *sets.inheritable, *sets.ambient}
    for name in sorted(named):
        if name.upper() not in capset.NUMBERS:
            log.warning("process.capabilities names %r, which this system does not have", name)
