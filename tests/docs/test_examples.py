"""Every command of the documentation is run, as a user would who reads a page from its top."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import docs_pages
import pytest
from docs_registry import HOSTS, LAZY, RECIPES, SMALL, Signed, stock, trimmed
from executable import Home, Rootless
from fault_proxy import fault_proxy
from lazy_images import chunked
from pages import REASONS, blocks_of, fits, outputs_of, script_of
from pseudo_terminal import CTRL_D, PseudoTerminal
from registries import registry
from signing import Signer

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
RUN = [name for name, text in SHOWN.items() if any(not b.not_run for b in blocks_of(text))]

_WITHIN_S = 240.0
_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>])")
# What somebody at the terminal types, by what stands at its end.
_ANSWERS = (
    (r"[Uu]sername: $", "alice\n"),
    (r"[Pp]assword: $", "open sesame\n"),
    (r"\[y/N\]:? $", "y\n"),
    (r"\x1b\[\?1049h[\s\S]{2000,}$", "q"),
    (r"[$#>] $", CTRL_D),
)

_PAGE = """\
# A page

```sh
echo one; x=2
```

```text
o…
```

<!-- not run: needs root -->
```sh
false
```

```sh
echo $x
sleep 1000    # Ctrl-C ends it
```
"""


@dataclass(frozen=True, slots=True)
class World:
    """What the pages' user finds beside his home."""

    proxies: dict[str, str]
    certificates: Path
    store: Path
    keys: dict[str, bytes]

    def visitor(self, folder: Path, name: str = "") -> Home:
        """Give the reader of a page a home, with the environment that a log-in has."""
        made = Home.make(folder)
        left_out = ("ROOTLESS_HOME", "ROOTLESS_HOLDER")
        environ = {name: text for name, text in made.environ.items() if name not in left_out}
        binaries = Path(Rootless(made).executable).parent
        proxy = self.proxies["private" if name in docs_pages.WITH_LOGIN else "open"]
        environ |= {
            "PATH": f"{folder}/home/.local/bin:{binaries}:/usr/local/bin:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "HTTPS_PROXY": f"http://{proxy}",
            "SSL_CERT_FILE": str(self.certificates),
        }
        return Home(folder, environ)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, demo_image: str) -> Iterator[World]:
    """Start registries behind a proxy; pull what every page's user has."""
    folder = tmp_path_factory.mktemp("world")
    layout = trimmed(Path(demo_image.rpartition(":")[0]), folder / "layout")
    signers = {name: Signer.make() for name in ("cosign", "ann", "ben")}
    signed = [Signed("registry.example", "app:1", (signers["cosign"], signers["ann"]))]
    proxies = {}
    authorities = b""
    with ExitStack() as stack:
        for kind, auth, recipes in (("open", "", RECIPES), ("private", "htpasswd", SMALL)):
            form = registry(folder / kind, tls=True, auth=auth, names=HOSTS)
            server = stack.enter_context(form)
            stock(server, layout, recipes, signed if not auth else ())
            proxies[kind] = stack.enter_context(fault_proxy(server.host)).host
            authorities += server.ca.read_bytes()
            if not auth:
                chunked(f"{layout}:x", folder / "lazy", "estargz", keep=1)
                stock(server, folder / "lazy", LAZY)
        (folder / "ca.pem").write_bytes(authorities)
        keys = {name: signer.pem for name, signer in signers.items()}
        store = folder / "home/.local/share/rootless"
        made = World(proxies, folder / "ca.pem", store, keys)
        rootless = Rootless(made.visitor(folder))
        for image in ("docker.io/library/debian:12", "docker.io/library/debian"):
            rootless.ok("pull", "-q", image, timeout=300)
        yield made


def test_reasons() -> None:
    """What is not run has one of a few reasons, and each comment is above a block."""
    for name, text in SHOWN.items():
        reasons = [block.not_run for block in blocks_of(text) if block.not_run]
        assert set(reasons) <= set(REASONS), name
        assert len(reasons) == text.count("<!-- not run"), name


def test_a_page_of_the_tests(home: Home) -> None:
    """One shell for all blocks, Ctrl-C where a comment speaks of it, a failure told by its line."""
    (home.path / "home/project").mkdir()
    said = outputs_of(_follow(_PAGE, home))
    assert said[0].strip() == "one"
    assert fits("o…", said[0])
    assert not fits("o", said[0])
    assert said[2].split() == ["2"]
    assert [block.output for block in blocks_of(_PAGE)] == ["o…", None, None]
    with pytest.raises(AssertionError, match="line 22: status 3: "):
        _follow(_PAGE + "\n```sh\n(exit 3)\n```\n", home)


@pytest.mark.needs_subid
@pytest.mark.parametrize("name", RUN)
def test_page(name: str, world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """All of its blocks succeed, and print what the page says."""
    home = world.visitor(tmp_path_factory.mktemp("u"), name)
    docs_pages.furnish(home, world.store)
    at = docs_pages.At(home, SHOWN[name], world)
    docs_pages.PREPARED.get(name, lambda _: None)(at)
    try:
        said = _follow(SHOWN[name], home)
    finally:
        _leave(Rootless(home))
    printed = outputs_of(said)
    for number, block in enumerate(blocks_of(SHOWN[name])):
        if block.output is not None and not block.not_run:
            shown = f"line {block.line} prints {printed[number]!r}"
            assert fits(block.output, printed[number]), shown


def _follow(text: str, home: Home) -> str:
    """Run the page's script at a terminal; return what was said."""
    script, trace = home.path / "script", home.path / "trace"
    script.write_text(script_of(text, docs_pages.places(home.path / "home")))
    start = f"cd {home.path}/home/project && exec bash {script}"
    words = ["sh", "-c", start]
    with PseudoTerminal(words, {**home.environ, "TRACE": str(trace)}) as terminal:
        terminal.resize(40, 120)
        status, said = terminal.converse(_ANSWERS, _WITHIN_S)
    said = _ESCAPES.sub("", said.replace("\r\n", "\n"))
    last = "\n".join(trace.read_text(errors="replace").splitlines()[-3:]) if trace.exists() else ""
    assert status == 0, f"status {status}; {last}\n{said[-3000:]}"
    return said


def _leave(rootless: Rootless) -> None:
    """End what the page has left running."""
    for name in rootless.ok("ps", "-aq").split():
        rootless("rm", "-f", name)
    rootless("system", "shutdown")
