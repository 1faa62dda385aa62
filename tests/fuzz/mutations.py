"""Ways to damage a file: bytes of any format, and values of JSON."""

from __future__ import annotations

import copy
import io
import json
import random
import re
import zipfile
from typing import Any

_BYTES = (0, 1, 9, 10, 13, 32, 34, 39, 44, 45, 59, 92, 127, 128, 192, 254, 255)
_VALUES = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    -(2**70),
    10**400,
    0.1,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\x00",
    "\ud800",
    "a" * 300,
    "../../x",
    "{0}",
    "{x}",
    [],
    [[]],
    {},
    {"name": 1},
    [None],
    "NaN",
    "1e999",
    "书",
    "\u202e",
)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Change a few bytes, runs of bytes, or the end."""
    held = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 1, 2, 3, 6, 20))):
        at, how = chance.randrange(len(held)), chance.random()
        if how < 0.35:
            held[at] = chance.randrange(256)
        elif how < 0.45:
            held[at] ^= 1 << chance.randrange(8)
        elif how < 0.6:
            del held[at : at + chance.randint(1, 30)]
        elif how < 0.75:
            held[at:at] = bytes(chance.choice(_BYTES) for _ in range(chance.randint(1, 12)))
        elif how < 0.85:  # a piece moved, as when two writes overlap
            start = chance.randrange(len(held))
            piece = held[start : start + chance.randint(1, 60)]
            held[at : at + len(piece)] = piece
        elif how < 0.93:  # numbers at their ends
            held[at : at + 4] = chance.choice(
                (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\0\0\0\0")
            )
        else:
            del held[at + 1 :]
        held = held or bytearray(b"x")
    return bytes(held)


def damaged_inside(data: bytes, chance: random.Random) -> bytes:
    """Damage one part of an archive and pack it again with right checksums, so that the damage reaches what reads it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        chosen = chance.choice(names)
        for name in names:
            part = old.read(name)
            if name != chosen:
                new.writestr(name, part)
            elif chance.random() < 0.95:  # else it is missing
                new.writestr(name, _damaged_text(part, chance) if chance.random() < 0.7 else damaged(part, chance))
    return out.getvalue()


def _damaged_text(part: bytes, chance: random.Random) -> bytes:
    """Change what stands between quotes or tags, and leave the marks themselves whole."""
    pieces = re.split(rb'("[^"]*"|>[^<]*<)', part)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(pieces))
        if len(pieces[at]) < 2:
            continue
        value = str(chance.choice(_VALUES)).encode("utf-8", "replace").translate(None, b'<>"&')
        pieces[at] = pieces[at][:1] + value + pieces[at][-1:] if at % 2 else damaged(pieces[at], chance)
    return b"".join(pieces)


def changed_values(text: str, chance: random.Random) -> bytes:
    """Put hostile values, names and nesting into JSON that stays JSON."""
    values = json.loads(text)
    for _ in range(chance.randint(1, 4)):
        holder = values
        while isinstance(holder, (dict, list)) and holder:
            key = chance.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
            inner = holder[key]
            if isinstance(inner, (dict, list)) and inner and chance.random() < 0.75:
                holder = inner
                continue
            _change(holder, key, chance)
            break
    if chance.random() < 0.02:
        values = _value(chance)
    if chance.random() < 0.03:
        depth = chance.choice((20, 40, 900, 50_000))
        return b"[" * depth + json.dumps(values).encode() + b"]" * depth
    return json.dumps(values).encode()


def _value(chance: random.Random) -> Any:
    """Draw a hostile value; its own copy, as later changes would reach every input after this one."""
    return copy.deepcopy(chance.choice(_VALUES))


def _change(holder: Any, key: Any, chance: random.Random) -> None:
    how = chance.random()
    if how < 0.6:
        holder[key] = _value(chance)
    elif how < 0.75:
        del holder[key]
    elif how < 0.85 and isinstance(holder, dict):
        holder[str(_value(chance))] = copy.deepcopy(holder[key])
    elif how < 0.93:
        deep: Any = _value(chance)
        for _ in range(chance.choice((3, 35, 200))):
            deep = [deep] if chance.random() < 0.5 else {"x": deep}
        holder[key] = deep
    else:
        holder[key] = [holder[key]] * chance.choice((2, 50, 2_000))
