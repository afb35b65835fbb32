"""Which images a short name may mean: containers-registries.conf(5), "Short-Name Aliasing" (pure).

Nobody is asked: where the mode `enforcing` would ask, an error lists the choices; `permissive` and
`disabled` try the registries in their order. Where no file names any, Docker Hub is searched.
"""

from dataclasses import replace

from rootless.errors import InvalidInput
from rootless.oci.reference import DOCKER_HUB, Reference, parse_reference
from rootless.registry.registries_conf import RegistriesConf


def candidates_of(name: str, conf: RegistriesConf) -> list[Reference]:
    """Return the full references that a name may mean, the first that exists is it.

    Raises:
        InvalidInput: The name is not valid, or there is nothing to look it up in.
    """
    given = parse_reference(name)
    if given.domain:
        return [given.canonical()]
    alias = conf.aliases.get(given.path)
    if alias is not None:
        full = parse_reference(alias)
        if not full.domain or full.tag or full.digest:
            fix = "registries.conf: an alias is a registry and a repository, without tag and digest"
            raise InvalidInput("alias is not valid", f"{given.path} = {alias}", fix)
        return [replace(full, tag=given.tag, digest=given.digest).canonical()]
    search = (DOCKER_HUB,) if conf.search is None else conf.search
    if not search:
        fix = "give the registry too, as in docker.io/library/debian, or add it to registries.conf"
        raise InvalidInput("no registry to search for a short name", name, fix)
    found = [parse_reference(f"{domain}/{given}").canonical() for domain in search]
    if len(found) > 1 and conf.short_name_mode == "enforcing":
        fix = "give one of " + ", ".join(str(reference) for reference in found)
        raise InvalidInput("short name is ambiguous", name, fix)
    return found
