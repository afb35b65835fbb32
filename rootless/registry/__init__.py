"""The client of registries: OCI Distribution Specification 1.1, and Docker's version 2 before it.

It knows nothing of the store. `settings` is what was configured, `client` is where to begin.
"""
