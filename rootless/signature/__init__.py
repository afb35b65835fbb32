"""Who may have made an image: policies, and signatures by known keys.

Sources: containers-policy.json(5); the cosign project's SIGNATURE_SPEC and BUNDLE_SPEC; DSSE's
protocol. Everything works offline but for the registry that the image comes from: keys alone
count, no certificates and no logs. No store and no HTTP here; registries come as a protocol.
"""
