"""What a container has of the place where its caller is: time zone, locale, type of terminal."""

import os
from dataclasses import replace

from rootless.bundle.options import RunOptions
from rootless.image import trees
from rootless.image.names import Image
from rootless.image.store import Store


def with_place(options: RunOptions, store: Store, image: Image, *, as_caller: bool) -> RunOptions:
    """Return the options with a time zone, and what the image has of the caller's locale.

    Args:
        options: What was asked for.
        store: Where the image is.
        image: Which files can be named is up to it.
        as_caller: Whether a container is as its caller in all it can.
    """
    if not (options.time_zone or as_caller):
        return options
    from rootless.bundle import locales, terminal_type, time_zone  # noqa: PLC0415 - for few runs

    with trees.looked_into(store, image) as look:

        def fitting(env: tuple[str, ...]) -> tuple[str, ...]:
            if not as_caller:
                return env
            env = locales.fitting(env, look.has_file, look.has_folder)
            return terminal_type.fitting(env, look.has_file)

        if options.time_zone:
            zone = time_zone.named(options.time_zone, os.environ, look.has_file)
        else:
            zone = time_zone.variable(os.environ, look.has_file)
        env = (*filter(None, [zone]), *fitting(options.env))
        return replace(options, env=env, inherited_env=fitting(options.inherited_env))
