"""A bar chart of ratios, written as SVG by hand; readable on light and on dark paper."""

from collections.abc import Mapping
from html import escape
from math import log10

_WIDTH = 760
_LABELS = 270
_RIGHT = 60
_BAR = 11
_ROW = 2 * _BAR + 12
_TOP = 58
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.small { font-size: 10px; fill: #57606a }
.grid { stroke: #d0d7de } .one { stroke: #57606a; stroke-width: 1.5 }
.first { fill: #0969da } .second { fill: #8250df }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .grid { stroke: #3d444d } .one { stroke: #9198a1 }
  .first { fill: #4493f8 } .second { fill: #ab7df8 }
}
"""


def draw(title: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return a chart with a group of bars a row, on a logarithmic axis through 1.

    Args:
        title: Says what the bars are the ratio of.
        rows: For each row its bars, name to ratio; two names at most, the same in all rows.
    """
    ratios = [value for bars in rows.values() for value in bars.values()]
    low = min([0.5, *ratios])
    high = max([2.0, *ratios])

    def x(ratio: float) -> float:
        share = (log10(ratio) - log10(low)) / (log10(high) - log10(low))
        return _LABELS + share * (_WIDTH - _LABELS - _RIGHT)

    height = _TOP + len(rows) * _ROW + 8
    names = list(dict.fromkeys(name for bars in rows.values() for name in bars))
    classes = dict(zip(names, ("first", "second"), strict=False))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text class="title" x="8" y="20">{escape(title)}</text>',
    ]
    for number, name in enumerate(names):
        left = 8 + number * 90
        parts.append(f'<rect class="{classes[name]}" x="{left}" y="32" width="11" height="11"/>')
        parts.append(f'<text x="{left + 16}" y="42">{escape(name)}</text>')
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            parts += _tick(x(tick), f"{tick:g}x", height, strong=tick == 1)
    for number, (label, bars) in enumerate(rows.items()):
        top = _TOP + number * _ROW
        text = f'<text x="{_LABELS - 10}" y="{top + _BAR + 4}" text-anchor="end">'
        parts.append(f"{text}{escape(label)}</text>")
        for line, (name, ratio) in enumerate(bars.items()):
            parts += _bar(classes[name], x(1), x(ratio), top + line * _BAR, f"{ratio:.1f}")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _tick(x: float, text: str, height: int, *, strong: bool) -> list[str]:
    kind = "one" if strong else "grid"
    return [
        f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{height - 8}"/>',
        f'<text class="small" x="{x:.1f}" y="{_TOP - 10}" text-anchor="middle">{text}</text>',
    ]


def _bar(kind: str, one: float, end: float, top: int, text: str) -> list[str]:
    left, width = min(one, end), max(abs(end - one), 1)
    size = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR - 1}"'
    return [
        f'<rect class="{kind}" {size}/>',
        f'<text class="small" x="{max(one, end) + 4:.1f}" y="{top + 9}">{text}</text>',
    ]
