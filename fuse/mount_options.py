"""Mount options: from the server's config to the words that libfuse takes (mount.fuse3(8))."""

from .server_config import ServerConfig


def mount_options(config: ServerConfig) -> set[str]:
    """Return the options for `pyfuse3.init`.

    libfuse adds nosuid and nodev by itself, and both are right only where an ordinary user mounts
    into the host's namespace. In an own user namespace the kernel confines set-ID programs and
    device nodes to it, and an image's `su` must work: `suid,dev` take them away.
    """
    options = {f"fsname={_escape(config.fsname)}", "subtype=rootless"}
    options.update(config.options)
    if config.upperdir_fd < 0:
        options.add("ro")
    if config.default_permissions:
        options.add("default_permissions")
    if config.use_fusermount:
        return options
    options |= {"suid", "dev"} - {word.removeprefix("no") for word in config.options}
    if config.allow_other:
        options.add("allow_other")
    return options


def _escape(value: str) -> str:
    """Protect what separates options; what a mount table cannot show becomes `?`."""
    shown = "".join(c if c.isascii() and c.isprintable() else "?" for c in value)
    return shown.replace("\\", "\\\\").replace(",", "\\,")
