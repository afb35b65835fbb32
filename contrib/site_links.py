"""For mkdocs: a link from a page to a file outside docs/ becomes its name; the site has no such."""
# ruff: noqa: INP001 - a hook, found by its path

import re
from typing import Any

_OUT_OF_DOCS = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!docs/)[^)]*\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page's text with those links replaced."""
    return _OUT_OF_DOCS.sub(r"\1", markdown)
