"""`rootless.lazy.config`: what a fetcher is told."""

from rootless.lazy.config import FetcherConfig


def test_nothing_is_lost() -> None:
    """The document gives the same config back."""
    config = FetcherConfig(
        layers=((0, "/store/lazy/sha256/00"), (3, "/store/lazy/sha256/33")),
        news_fd=4,
        server_fd=5,
        wanted=((3, 4096, 10),),
        completes=False,
        patience_s=2.5,
        log_path="/run/server.log",
    )
    assert FetcherConfig.from_json(config.to_json()) == config
