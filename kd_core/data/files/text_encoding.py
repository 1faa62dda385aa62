"""Which legacy encoding a text that is not UTF-8 was written in."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

# Longest first: the UTF-32 mark begins with the UTF-16 one.
BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SHOWN = {
    "utf-8-sig": "UTF-8",
    "utf-8": "UTF-8",
    "gb18030": "GB18030",
    "gbk": "GBK",
    "big5": "Big5",
    "cp1252": "Windows-1252 (Western European)",
    "iso8859-1": "Latin-1",
}
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_LEGACY = ["cp1251", "cp1250", "shift_jis", "euc_jp", "euc_kr", "cp1253", "cp1254", "koi8_r"]


def shown_encoding(name: str) -> str:
    """Name an encoding for a person."""
    return _SHOWN.get(name, name.upper().replace("_", "-"))


def guess_encoding(sample: bytes) -> str | None:
    """Guess the encoding of bytes that are not UTF-8, or None when nothing fits.

    Chinese text keeps to the frequent part of its own code table (GB2312, Big5 level 1), which text of
    another encoding does not; Western text has single high bytes between ASCII letters.
    """
    chinese = max(
        (_share(sample, "gb18030", _is_gb2312), "gb18030"), (_share(sample, "big5", _is_big5_frequent), "big5")
    )
    if chinese[0] >= 0.9:
        return chinese[1]
    runs = [len(run) for run in _HIGH_RUN.findall(sample)]
    if runs and sum(runs) / len(runs) < 1.6:
        return "cp1252" if _decodes(sample, "cp1252") else "iso8859-1"
    best = from_bytes(sample, cp_isolation=_LEGACY).best()
    return best.encoding if best is not None else None


def _share(sample: bytes, encoding: str, frequent: object) -> float:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    high = [c for c in text if ord(c) > 127]
    assert callable(frequent)
    return sum(map(frequent, high)) / len(high) if high else 0.0


def _is_gb2312(character: str) -> bool:
    return _decodable_as(character, "gb2312", 0xA1, 0xF7)


def _is_big5_frequent(character: str) -> bool:
    return _decodable_as(character, "big5", 0xA1, 0xC6)


def _decodable_as(character: str, encoding: str, lowest: int, highest: int) -> bool:
    try:
        code = character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return len(code) == 2 and lowest <= code[0] <= highest


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
