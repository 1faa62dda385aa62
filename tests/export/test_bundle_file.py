"""A sealed file: whatever is changed in it, it is refused with a reason."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile

import pytest

from kd_core.errors import DataError, KDError
from kd_core.export import bundle_file
from kd_core.export.bundle_file import MANIFEST, MODEL, contents, opened, own_hash, sealed, write_manifest

FILES = {MODEL: b"a model", "CARD.md": b"# words " * 40, "sample/01_0.png": bytes(range(256)), "expected.json": b"{}"}


def folder_of(place, files=FILES, **told):
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    write_manifest(place, {"name": "tiny", "classes": ["ja", "nein", "größer"], **told})
    return place


def written(path, data):
    path.write_bytes(data)
    return path


def resealed(files, comment=True):
    """Pack files as a forger or another program would."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.comment = b"sha256:" + b"0" * 64 if comment else b""
    rest = file.getvalue()[:-71] if comment else file.getvalue()
    return rest + (b"sha256:" + hashlib.sha256(rest).hexdigest().encode() if comment else b"")


def test_what_was_sealed_is_opened_and_the_same_files_give_the_same_bytes(tmp_path):
    data = sealed(folder_of(tmp_path / "a"))
    assert data == sealed(folder_of(tmp_path / "b"))
    path = written(tmp_path / "x.zip", data)
    manifest, model = opened(path)
    assert model == FILES[MODEL] and manifest["schema"] == 1 and manifest["classes"][2] == "größer"
    assert contents(path)[1] == FILES and manifest["files"].keys() == FILES.keys()
    with zipfile.ZipFile(path) as archive:  # an ordinary zip for everybody else
        assert archive.testzip() is None and set(archive.namelist()) == {MANIFEST, *FILES}


def test_a_flip_of_any_byte_is_refused(tmp_path):
    data, path, rng = sealed(folder_of(tmp_path / "a")), tmp_path / "x.zip", random.Random(0)
    for at in range(len(data)):
        with pytest.raises(KDError) as error:
            opened(written(path, data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]))
        assert error.value.code == "bundle_damaged" and "x.zip is no whole bundle: " in error.value.message


@pytest.mark.parametrize("cut", [0, 3, 100, -1, -72, -200])
def test_a_file_that_was_cut_off_is_refused(tmp_path, cut):
    with pytest.raises(KDError, match=r"it is no zip|it has no seal at its end|not those that were sealed"):
        opened(written(tmp_path / "x.zip", sealed(folder_of(tmp_path / "a"))[:cut]))


def manifest_of(tmp_path, **changed):
    found = json.loads((folder_of(tmp_path / "a") / MANIFEST).read_text("utf-8")) | changed
    return found | {"self": own_hash(found)}


def packed(files, manifest):
    return resealed({MANIFEST: json.dumps(manifest).encode(), **files})


def test_files_that_are_missing_swapped_or_added_are_refused_even_where_the_zip_was_sealed_anew(tmp_path):
    manifest, path = manifest_of(tmp_path), tmp_path / "x.zip"
    swapped = {**FILES, MODEL: FILES["CARD.md"], "CARD.md": FILES[MODEL]}
    cases = (
        (packed({n: d for n, d in FILES.items() if n != "CARD.md"}, manifest), "CARD.md is missing"),
        (packed(swapped, manifest), "model.onnx is not the file that was put in"),
        (packed({**FILES, "more.py": b"x"}, manifest), "more.py is none of its files"),
        (packed({**FILES, ".hidden": b"x"}, manifest), ".hidden is none of its files"),
        (resealed(FILES), "manifest.json is missing"),
        (packed(FILES, {**manifest, "name": "another"}), "manifest.json is not as it was written"),
        (resealed({**FILES, MANIFEST: b"{"}), "manifest.json is no JSON"),
        (resealed({**FILES, MANIFEST: b"[]"}), "manifest.json lists no files"),
        (packed(FILES, manifest).replace(b"PK\x05\x06", b"PK\x05\x07"), "not those that were sealed"),
        (
            resealed({**FILES, MANIFEST: json.dumps(manifest).encode()}, comment=False),
            "packed again by another program",
        ),
    )
    for data, why in cases:
        with pytest.raises(KDError, match=why):
            opened(written(path, data))
    without = {n: d for n, d in FILES.items() if n != MODEL}
    files = {n: h for n, h in manifest["files"].items() if n != MODEL}
    with pytest.raises(KDError, match=r"model.onnx is missing"):
        opened(written(path, packed(without, manifest_of(tmp_path, files=files))))
    assert opened(written(path, packed(FILES, manifest)))[1] == FILES[MODEL]  # the cases are refused for what they say


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_a_bundle_of_another_version_is_refused_by_name(tmp_path, version):
    data = packed(FILES, manifest_of(tmp_path, schema=version))
    with pytest.raises(
        KDError, match=rf"x.zip is a bundle of version {version}; this program reads version 1"
    ) as error:
        opened(written(tmp_path / "x.zip", data))
    assert error.value.code == "bundle_version" and "Export it again" in error.value.hint


def test_what_unpacks_to_far_more_than_a_bundle_is_not_unpacked(tmp_path, monkeypatch):
    bomb = resealed({MODEL: bytes(8 * 2**20), MANIFEST: b"{}"})
    with pytest.raises(DataError, match="unpacks to"):
        opened(written(tmp_path / "x.zip", bomb))
    monkeypatch.setattr(bundle_file, "MOST_BYTES", 900)
    with pytest.raises(KDError, match="a bundle has at most 900"):
        opened(written(tmp_path / "x.zip", bytes(1000)))
    data = resealed({MODEL: b"xy" * 500, MANIFEST: b"{}"})
    with pytest.raises(KDError, match="it unpacks to 1,002 bytes, and a bundle to at most 900"):
        opened(written(tmp_path / "x.zip", data))


def test_a_path_that_leads_out_is_refused(tmp_path):
    with pytest.raises(DataError, match="leads out of the archive"):
        opened(written(tmp_path / "x.zip", resealed({"../x": b"1", MANIFEST: b"{}"})))
