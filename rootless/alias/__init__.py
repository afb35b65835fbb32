"""Aliases: commands of the host that run in images, as shims in a folder of the user's PATH."""
