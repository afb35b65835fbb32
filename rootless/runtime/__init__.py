"""The OCI runtime: config.json to namespaces, mounts, capabilities, exec."""
