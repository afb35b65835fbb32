"""Modules that others import and that are hardly ever used: they come when something of them is.

trio imports ssl, pathlib ipaddress: a part of a server's memory and of its time at the start went
into modules of which no name is ever looked up. `postpone` is told which those are. Whoever imports
one gets a module that loads itself when the first name is wanted of it. importlib.util.LazyLoader
does that too, but in Python 3.11 loads at the second import already.

What is loaded late is found where it would have been found: the place is looked up at the import.
A process that forbids imports, by an empty `sys.meta_path`, gets none of these either.
"""

import sys
from _thread import RLock
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

# What the import system itself looks at
_ITS_OWN = frozenset(
    {"__class__", "__dict__", "__file__", "__loader__", "__name__", "__path__", "__spec__"}
)
OF_A_SERVER = frozenset(
    {
        "hashlib",  # of what reads packs; it brings OpenSSL
        "ssl",  # of trio; the same
        *("ipaddress", "shutil", "bz2", "lzma", "tempfile", "locale"),  # of pathlib and subprocess
        *("csv", "calendar"),  # of importlib.metadata, which tells pyfuse3's version
    }
)
"""What comes with pyfuse3 and the standard library, and a server does without."""

_lock = RLock()
_loading: set[str] = set()


def postpone(names: "Collection[str]") -> None:
    """Load these modules, each of one file, when they are used; what is loaded already stays so."""
    sys.meta_path.insert(0, _Postponed(frozenset(names)))


class _Postponed:
    """Finds the modules, as those after it on `sys.meta_path` do."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: ModuleType | None = None
    ) -> "ModuleSpec | None":
        if name not in self._names:
            return None
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    if spec.loader is not None:  # which wants two methods, and no base class
                        spec.loader = _LateLoader(spec.loader, self)  # type: ignore[assignment]
                    return spec
        return None


class _LateLoader:
    """Stands in for a loader until something is wanted of its module."""

    def __init__(self, loader: "Loader", finder: _Postponed) -> None:
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: "ModuleSpec") -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__class__ = _LateModule


class _LateModule(ModuleType):
    """A module that is not there yet."""

    def __getattribute__(self, name: str) -> object:
        if name not in _ITS_OWN:
            _load(self)
        return ModuleType.__getattribute__(self, name)  # of another class by now

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _ITS_OWN:
            _load(self)
        ModuleType.__setattr__(self, name, value)


def _load(module: ModuleType) -> None:
    """Load it, once; a thread that wants it meanwhile waits, and it may look at itself."""
    name = module.__name__
    with _lock:
        if name in _loading or type(module) is not _LateModule:
            return
        spec = module.__spec__
        late = spec.loader if spec is not None else None
        assert spec is not None  # noqa: S101 - as the import system made it
        assert isinstance(late, _LateLoader)  # noqa: S101
        if late.finder not in sys.meta_path:
            raise ImportError(f"imports are forbidden by now: {name}", name=name)
        _loading.add(name)
        try:
            late.loader.exec_module(module)
            spec.loader = module.__loader__ = late.loader
            module.__class__ = ModuleType
        finally:
            _loading.discard(name)
