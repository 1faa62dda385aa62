"""The chain as boxes and arrows that the page's own styles draw: one picture to a screen reader, one column on a phone."""

from __future__ import annotations

from html import escape

from pages.ui.chain.parts import Arrow, Box, Chain, Stage


def drawing(chain: Chain) -> str:
    """Write the drawing as HTML; `browser/frame.css` gives boxes their colours and marks."""
    row = [_stage(chain.stages[0])]
    for arrow, stage in zip(chain.arrows, chain.stages[1:], strict=True):
        row += [_arrow(arrow), _stage(stage)]
    lane = f"<div class='kd-chain-lane'><span>{escape(chain.labels)}</span></div>"
    return (
        f"<div class='kd-chain' role='img' aria-label='{escape(chain.said)}'>"
        f"<div class='kd-chain-row' aria-hidden='true'>{''.join(row)}</div>{lane}</div>"
    )


def _stage(stage: Stage) -> str:
    return f"<div class='kd-chain-stage'><div class='kd-chain-title'>{escape(stage.title)}</div>{''.join(map(_box, stage.boxes))}</div>"


def _box(box: Box) -> str:
    lines = "".join(f"<div>{escape(line)}</div>" for line in box.lines)
    quiet = " quiet" if box.quiet else ""
    return f"<div class='kd-chain-box {box.role}{quiet}'><b>{escape(box.title)}</b>{lines}</div>"


def _arrow(arrow: Arrow) -> str:
    lines = "".join(f"<div>{escape(line)}</div>" for line in arrow.lines)
    return f"<div class='kd-chain-arrow{' both' if arrow.both else ''}'><div class='kd-chain-along'>{lines}</div><div class='kd-chain-shaft'></div></div>"
