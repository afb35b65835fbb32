"""From image config and options to an OCI bundle."""
