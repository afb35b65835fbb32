"""Examples for the help and the manual of commands that are short enough to be told in a line.

A command with more to show has them beside its declaration, as `epilog`.
"""

from collections.abc import Sequence

_EXAMPLES = {
    "alias doctor": ("rootless alias doctor",),
    "alias edit": ("EDITOR=vi rootless alias edit",),
    "alias init": ("eval $(rootless alias init bash)       # in ~/.bashrc",),
    "alias list": ("rootless alias list --format json",),
    "alias remove": ("rootless alias remove node npm",),
    "alias sync": ("rootless alias sync                   # the aliases.toml of this project",),
    "attach": ("rootless attach --no-stdin web",),
    "builder prune": ("rootless builder prune --all --force",),
    "bundle create": ("rootless bundle create debian ./bundle cat /etc/os-release",),
    "bundle spec": ("rootless bundle spec",),
    "config check": ("rootless config check .rootless.toml",),
    "config show": ("rootless config show --origin",),
    "config trust": ("rootless config trust                 # the .rootless.toml of this project",),
    "config untrust": ("rootless config untrust",),
    "create": ("rootless create --name web -p 8080:80 nginx",),
    "diff": ("rootless diff dev", "rootless diff debian:12 debian:13"),
    "doctor": ("rootless doctor", "rootless doctor --hpc"),
    "exec": ("rootless exec -it web sh", "rootless exec -e DEBUG=1 -w /srv web ls"),
    "explore": ("rootless explore debian",),
    "generate systemd": ("rootless generate systemd web",),
    "history": ("rootless history debian",),
    "image prune": ("rootless image prune --all --filter until=720h",),
    "images": ("rootless images", "rootless images --format json debian"),
    "info": ("rootless info",),
    "inspect": ("rootless inspect debian", "rootless inspect -f .Config.Env debian"),
    "kill": ("rootless kill --signal HUP web",),
    "load": ("rootless load debian.tar", "rootless load oci:folder:name"),
    "login": ("rootless login registry.example",),
    "logout": ("rootless logout registry.example", "rootless logout --all"),
    "logs": ("rootless logs --follow --tail 20 web", "rootless logs --since 10m web"),
    "mount": ("rootless mount debian ./folder && ls folder; rootless umount ./folder",),
    "pack": ("rootless pack debian debian.rlf && rootless run ./debian.rlf true",),
    "port": ("rootless port web 80",),
    "prune": ("rootless prune --force",),
    "ps": ("rootless ps --all", "rootless ps -q --filter label=app=shop"),
    "rename": ("rootless rename web old-web",),
    "restart": ("rootless restart web", "rootless restart --time 2 --latest"),
    "rm": ("rootless rm --force web",),
    "rmi": ("rootless rmi debian:12",),
    "runtime": ("rootless runtime create --bundle ./bundle box && rootless runtime start box",),
    "sbom": ("rootless sbom debian", "rootless sbom --format json debian"),
    "search-tags": ("rootless search-tags --limit 20 docker.io/library/debian",),
    "start": ("rootless start web", "rootless start --attach --interactive dev"),
    "events": ("rootless events --filter event=die",),
    "stats": ("rootless stats --no-stream",),
    "stop": ("rootless stop web", "rootless stop --time 60 --all"),
    "store compact": ("rootless store compact debian",),
    "store gc": ("rootless store gc --dry-run",),
    "store share": ("rootless store share",),
    "store verify": ("rootless store verify",),
    "system df": ("rootless system df",),
    "system info": ("rootless system info",),
    "system prune": ("rootless system prune --all --force",),
    "system shutdown": ("rootless system shutdown",),
    "tag": ("rootless tag debian:12 registry.example/me/base:1",),
    "top": ("rootless top web",),
    "tree": ("rootless tree debian",),
    "umount": ("rootless umount ./folder",),
    "version": ("rootless version",),
    "wait": ("rootless wait web",),
}
_GROUPS = ("container", "image")
_OTHERWISE = {"ls": "images", "rm": "rmi"}


def epilog_of(path: Sequence[str]) -> str:
    """Return the examples of a command by its words; "" where it has none here."""
    lines = _EXAMPLES.get(" ".join(path))
    if lines is None and path[:1] and path[0] in _GROUPS:  # `image ls` is `images`
        name = path[-1]
        lines = _EXAMPLES.get(_OTHERWISE.get(name, name) if path[0] == "image" else name)
    if lines is None:
        return ""
    title = "Examples" if len(lines) > 1 else "Example"
    return "\n".join([f"\b\n{title}:", *(f"  {line}" for line in lines)])
