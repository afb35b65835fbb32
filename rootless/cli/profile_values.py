"""`run --profile`: the options of a profile beneath those of the command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rootless.bundle.caller import current_folder
from rootless.cli import run_options
from rootless.config import profiles
from rootless.paths import Paths

if TYPE_CHECKING:
    from rootless.config.option_values import Value


def with_profiles(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options' values by parameter, those of the profiles added; the last one wins.

    Where a profile names the image, the words are the command's, in place of the profile's own.

    Raises:
        NotFound: There is no such profile.
        InvalidInput: A file has a fault, or is not trusted.
    """
    found = profiles.sources(Paths.from_environment(), Path(current_folder()))
    values: dict[str, Value] = {}
    for name in given["profile"]:
        for option, setting in profiles.profile(found, run_options.KINDS, name).items():
            values[option] = setting.value
    image, words = values.pop(profiles.IMAGE, ""), values.pop(profiles.COMMAND, ())
    command = words if isinstance(words, tuple) else ()
    result = run_options.merged(given, values)
    if image:
        result["words"] = [image, *(given["words"] or command)]
    elif command and len(given["words"] or ()) == 1:
        result["words"] = [*given["words"], *command]
    return result
