"""Files with random bytes changed are read or refused in words; nothing else ever comes out."""

import gzip
import io
import random
import re
import zipfile

import pytest

from kd_core.data.files.reading import read_table
from kd_core.errors import DataError


def originals():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name in ("a.csv", "b.csv"):  # with a date of its own, so that each time the same bytes are changed
            out.writestr(zipfile.ZipInfo(name), "a,b\n" + "1,2\n" * 50, zipfile.ZIP_DEFLATED)
    return [
        b'a,b,"c d"\n' + b'1,"x, y",3\n' * 30,
        ("a,b\n" + "1,书\n" * 30).encode("utf-16"),
        ("a,b\n" + "1,书籍\n" * 30).encode("gb18030"),
        archive.getvalue(),
        gzip.compress(b"a,b\n" + b"1,2\n" * 50, mtime=0),
    ]


def changed(data, chance):
    data = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, how = chance.randrange(len(data)), chance.random()
        if how < 0.5:
            data[at] = chance.randrange(256)
        elif how < 0.7:
            del data[at : at + chance.randint(1, 20)]
        elif how < 0.85:
            data[at:at] = bytes(chance.choice([0, 10, 13, 34, 44, 59, 255]) for _ in range(chance.randint(1, 8)))
        else:
            del data[at + 1 :]
        data = data or bytearray(b"x")
    return bytes(data)


def codes_of(tmp_path, seed, times):
    chance, path, codes = random.Random(seed), tmp_path / "upload", set()
    for _ in range(times):
        path.write_bytes(changed(chance.choice(originals()), chance))
        try:
            codes.add(read_table(path).format)
        except DataError as error:
            own = re.sub("'.*'", "", error.message, flags=re.DOTALL)  # a name in the file may hold anything
            assert own and error.hint and "{" not in own.split("(")[0]
            codes.add(error.code)
    return codes


@pytest.mark.slow
def test_a_few_hundred_changes(tmp_path):
    assert {"csv", "incomplete", "ragged_rows", "nul_bytes"} <= codes_of(tmp_path, 1, 200)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_changes(tmp_path, seed):
    assert {"csv", "incomplete", "ragged_rows", "nul_bytes", "unclosed_quote"} <= codes_of(tmp_path, seed, 1000)
