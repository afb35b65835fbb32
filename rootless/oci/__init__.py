"""OCI documents: parsed once at the border into frozen data; pure, no I/O."""
