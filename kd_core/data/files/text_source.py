"""A text file of any encoding made into plain UTF-8, with what a first pass over its bytes shows."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kd_core.data.files.text_encoding import BOMS, guess_encoding, shown_encoding
from kd_core.errors import DataError, Problem, Says

_CHUNK = 4 * 2**20
_SAMPLE_BYTES = 256 * 1024
LINE_BYTES = 8 * 2**20  # the parser takes so much at once; no table has such a row

_GUESSED = Says(
    "encoding_guessed",
    "warning",
    "The file is not UTF-8 (byte {offset:,} is 0x{byte:02X}); it was read as {shown}.",
    "If letters look wrong, choose the encoding.",
)


@dataclass(frozen=True)
class TextSource:
    """Plain UTF-8 text on disk; `start` is where it begins (after a byte order mark)."""

    path: Path
    start: int
    size_bytes: int
    encoding: str
    newlines: int
    quotes: int
    nuls: int
    first_nul: int | None
    problems: tuple[Problem, ...] = ()
    endless_line: int | None = None  # the first line (from 1) over LINE_BYTES
    codec: str = "utf-8"  # that the file was written in


def plain_text(path: Path, encoding: str | None, folder: Path) -> TextSource:
    """Make sure a file is UTF-8, writing a converted copy to `folder` when it is not.

    Errors: DataError with code `unknown_encoding` or `bad_encoding`, naming the byte.
    """
    with path.open("rb") as file:
        head = file.read(4)
    bom = next(((mark, name) for mark, name in BOMS if head.startswith(mark)), None)
    if encoding is not None:
        return _converted(path, _known(encoding), folder, ())
    if bom is not None and bom[1] != "utf-8-sig":
        return _converted(path, bom[1], folder, ())
    start = 3 if bom else 0
    bad = _first_bad_byte(path, start)
    if bad is None:
        text = _surveyed(path, start, "UTF-8 with byte order mark" if bom else "UTF-8", ())
        wide = _utf16_without_bom(path) if text.nuls else None
        return _converted(path, wide, folder, ()) if wide else text
    wide = _utf16_without_bom(path)
    if wide:
        return _converted(path, wide, folder, ())
    offset, byte = bad
    guess = guess_encoding(_non_ascii_lines(path))
    if guess is None:
        raise DataError(
            "Byte {offset:,} (0x{byte:02X}) is not UTF-8, and no other common encoding fits.",
            "Choose the encoding, or save the file as UTF-8.",
            "unknown_encoding",
            offset=offset,
            byte=byte,
        )
    note = _GUESSED.problem(count=1, offset=offset, byte=byte, shown=shown_encoding(guess), encoding=guess)
    return _converted(path, guess, folder, (note,))


def chunks_of(path: Path, start: int = 0) -> Iterator[bytes]:
    """Yield a file's bytes piece by piece."""
    with path.open("rb") as file:
        file.seek(start)
        while chunk := file.read(_CHUNK):
            yield chunk


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # codecs such as 'base64' are no text encodings
    except (LookupError, ValueError):
        raise DataError(
            "There is no encoding named {encoding!r}.",
            "Try utf-8, utf-16, cp1252, gb18030 or big5.",
            "unknown_encoding",
            encoding=encoding,
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def _first_bad_byte(path: Path, start: int) -> tuple[int, int] | None:
    """Find the first byte that is not UTF-8: (offset in the file, byte)."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    seen = start
    for chunk in chunks_of(path, start):
        pending = len(decoder.getstate()[0])
        if pending or not chunk.isascii():
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return seen - pending + error.start, error.object[error.start]
        seen += len(chunk)
    left = decoder.getstate()[0]
    return (seen - len(left), left[0]) if left else None


def _utf16_without_bom(path: Path) -> str | None:
    with path.open("rb") as file:
        head = file.read(4096)
    pairs = len(head) // 2
    even, odd = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if pairs and odd > 0.6 * pairs and even < 0.05 * pairs:
        return "utf-16-le"
    if pairs and even > 0.6 * pairs and odd < 0.05 * pairs:
        return "utf-16-be"
    return None


def _non_ascii_lines(path: Path) -> bytes:
    kept, size = [], 0
    with path.open("rb") as file:
        for line in iter(lambda: file.readline(_SAMPLE_BYTES), b""):
            if not line.isascii():
                kept.append(line)
                size += len(line)
                if size > _SAMPLE_BYTES:
                    break
    return b"".join(kept)


def _converted(path: Path, encoding: str, folder: Path, problems: tuple[Problem, ...]) -> TextSource:
    target = folder / f"{path.stem[:40]}.utf8"
    decoder = codecs.getincrementaldecoder(encoding)()
    seen = 0
    try:
        with target.open("wb") as out:
            for chunk in chunks_of(path):
                out.write(decoder.decode(chunk).encode("utf-8"))
                seen += len(chunk)
            out.write(decoder.decode(b"", final=True).encode("utf-8"))
    except UnicodeError as error:
        near = seen + (error.start if isinstance(error, UnicodeDecodeError) else 0)
        raise DataError(
            "The file is not {encoding}: decoding fails near byte {offset:,}.",
            "Choose another encoding.",
            "bad_encoding",
            encoding=shown_encoding(encoding),
            offset=near,
        ) from None
    with target.open("rb") as file:
        start = 3 if file.read(3) == codecs.BOM_UTF8 else 0
    return replace(_surveyed(target, start, shown_encoding(encoding), problems), codec=encoding)


def _surveyed(path: Path, start: int, encoding: str, problems: tuple[Problem, ...]) -> TextSource:
    newlines = returns = quotes = nuls = 0
    first_nul: int | None = None
    endless: int | None = None
    seen, open_bytes = start, 0
    for chunk in chunks_of(path, start):
        ends = [at for mark in (b"\n", b"\r") for at in (chunk.find(mark), chunk.rfind(mark)) if at >= 0]
        if endless is None and open_bytes + min(ends, default=len(chunk)) > LINE_BYTES:
            endless = 1 + (newlines or returns)
        open_bytes = len(chunk) - 1 - max(ends) if ends else open_bytes + len(chunk)
        newlines += chunk.count(b"\n")
        returns += chunk.count(b"\r")
        quotes += chunk.count(b'"')
        if found := chunk.count(b"\x00"):
            first_nul = seen + chunk.index(b"\x00") if first_nul is None else first_nul
            nuls += found
        seen += len(chunk)
    return TextSource(
        path, start, seen - start, encoding, newlines or returns, quotes, nuls, first_nul, problems, endless
    )
