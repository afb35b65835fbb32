"""Profiles: options of `run` under a name, in the user's settings and in a project's file."""
