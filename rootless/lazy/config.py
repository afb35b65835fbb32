"""What a fetcher is told: one JSON document as its argument."""

import json
from dataclasses import asdict, dataclass

PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class FetcherConfig:
    """All that `python -m rootless.lazy.fetcher JSON` needs beside its environment.

    Attributes:
        layers: Positions in the FUSE server's list of layers, and the folders of the lazy ones.
        news_fd: Gets a line of JSON for each piece of news: `say`, a text for the user; `total` and
            `came`, bytes; `error`, what ended the work.
        server_fd: Socket to the FUSE server; -1 where there is none, and the fetcher ends with its
            work.
        wanted: What to get first, of which layer, from where on, how many bytes.
        completes: Get everything then.
        patience_s: How long it is tried to reach a registry.
        log_path: File for warnings.
    """

    layers: tuple[tuple[int, str], ...]
    news_fd: int
    server_fd: int = -1
    wanted: tuple[tuple[int, int, int], ...] = ()
    completes: bool = True
    patience_s: float = PATIENCE_S
    log_path: str = ""

    def to_json(self) -> str:
        """Return the document that `from_json` reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "FetcherConfig":
        """Read the document."""
        raw = json.loads(text)
        for name in ("layers", "wanted"):
            raw[name] = tuple(tuple(line) for line in raw[name])
        return cls(**raw)
