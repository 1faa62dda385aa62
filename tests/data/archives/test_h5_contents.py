"""HDF5 files taken out in a child process: nothing leads elsewhere, and no size is believed before it is checked."""

import io
import zipfile

import h5py
import numpy as np
import pytest

from kd_core.data.archives import h5_contents
from kd_core.data.archives.h5_contents import unpack
from kd_core.data.files import sandbox
from kd_core.errors import DataError


def written(place, fill):
    with h5py.File(place, "w") as file:
        fill(file)
    return place


def taken(file, folder, *members, skip=()):
    return unpack(str(file), str(folder), list(skip), list(members))


def plain(file):
    file.attrs["model_config"] = '{"a": 1}'
    group = file.create_group("layers/dense")
    group.attrs["names"] = [b"kernel", "größe".encode()]
    group.attrs["texts"] = ["x", "y"]
    group.attrs["count"] = 3
    group.create_dataset("0", data=np.arange(6, dtype=np.float32).reshape(2, 3), compression="gzip")
    file.create_dataset("optimizer/0", data=np.zeros(9))


def test_arrays_and_texts_are_taken_out_and_what_is_skipped_is_not(tmp_path):
    found = taken(written(tmp_path / "a.h5", plain), tmp_path, skip=["optimizer"])
    assert found["arrays"] == {"layers/dense/0": 0} and found["files"] == {}
    assert np.load(tmp_path / "0.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["texts"] == {
        "": {"model_config": '{"a": 1}'},
        "layers/dense": {"names": ["kernel", "größe"], "texts": ["x", "y"]},
    }


def zip_of(place, **members):
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return place


def test_a_zip_gives_the_file_inside_and_its_json(tmp_path):
    inner = written(tmp_path / "a.h5", plain).read_bytes()
    file = zip_of(tmp_path / "a.keras", model_h5=inner, config_json='{"b": 2}', other_json="not read")
    found = taken(file, tmp_path, "model.h5", "config.json", skip=["optimizer"])
    assert found["arrays"] == {"layers/dense/0": 0} and found["files"] == {"config.json": {"b": 2}}


def linked(**links):
    def fill(file):
        for name, link in links.items():
            file[name] = link

    return fill


def outside(tmp_path):
    def fill(file):
        file.create_dataset("w", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])

    return fill


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "w", (4,))
    file.create_virtual_dataset("w", layout)


def bomb(file):
    file.create_dataset("w", (2**20, 2**20), "f4", chunks=(64, 64))  # a few hundred bytes on the disk


def itself(file):
    group = file.create_group("a")
    group["b"] = group["c"] = group


def deep(file):
    file.create_group("/".join("g" * 30))


CASES = {
    "soft link": (
        linked(w=h5py.SoftLink("/elsewhere")),
        "h5_link",
        "'w' in the HDF5 file is a link, or lies in another file",
    ),
    "external link": (
        linked(w=h5py.ExternalLink("/etc/passwd", "/")),
        "h5_link",
        "not followed. Save the model again, as one file",
    ),
    "external data": (outside, "h5_link", "'w' in the HDF5 file is a link"),
    "virtual": (virtual, "h5_link", "'w' in the HDF5 file is a link"),
    "bomb": (bomb, "h5_large", r"take 4,398,046,511,104 bytes or more, up to 'w'; at most 209,715,200 are read"),
    "itself": (itself, "h5_array", r"groups deep|one of more than 10,000 groups"),
    "deep": (deep, "h5_array", "lies more than 16 groups deep"),
    "objects": (lambda f: f.create_dataset("w", data=["a", "b"]), "h5_array", "is no plain array of numbers"),
    "references": (lambda f: f.create_dataset("w", (1,), h5py.ref_dtype), "h5_array", "is no plain array of numbers"),
    "type": (lambda f: f.__setitem__("w", np.dtype("f4")), "h5_array", "neither a group nor an array"),
    "empty": (lambda f: f.create_dataset("w", data=h5py.Empty("f4")), "h5_array", "is no plain array of numbers"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_leads_elsewhere_or_claims_too_much_is_refused(case, tmp_path):
    fill, code, words = CASES[case]
    file = written(tmp_path / "a.h5", fill(tmp_path) if fill is outside else fill)
    with pytest.raises(DataError, match=words) as error:
        taken(file, tmp_path)
    assert error.value.code == code and not list(tmp_path.glob("*.npy"))


def test_several_arrays_may_not_claim_together_what_one_may_not(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_contents, "FILE_BYTES", 1000)
    file = written(tmp_path / "a.h5", lambda f: [f.create_dataset(f"w{i}", data=np.zeros(100, "f4")) for i in range(3)])
    with pytest.raises(DataError, match=r"take 1,200 bytes or more, up to 'w2'; at most 1,000 are read"):
        taken(file, tmp_path)


def test_groups_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_contents, "ARRAYS", 5)
    file = written(tmp_path / "a.h5", lambda f: [f.create_group(f"g{i}") for i in range(6)])
    with pytest.raises(DataError, match="'g4' in the HDF5 file is one of more than 5 groups"):
        taken(file, tmp_path)


def test_a_huge_attribute_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(h5_contents, "TEXT_BYTES", 1000)
    file = written(tmp_path / "a.h5", lambda f: f.attrs.create("model_config", np.bytes_(b"a" * 2000)))
    with pytest.raises(DataError, match=r"The attribute 'model_config' of '/' has 2,000 bytes; at most 1,000 are read"):
        taken(file, tmp_path)


@pytest.mark.parametrize("keep", [0, 8, 100, 600, -8])
def test_a_file_that_was_cut_off_is_no_crash(keep, tmp_path):
    file = written(tmp_path / "a.h5", plain)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(
        DataError, match=r"This is no HDF5 file that can be read: .+ It may be damaged or cut off"
    ) as error:
        taken(file, tmp_path)
    assert error.value.code == "h5_damaged"


def test_a_zip_without_the_file_or_with_a_bomb_is_refused(tmp_path):
    with pytest.raises(DataError, match="no HDF5 file that can be read"):
        taken(zip_of(tmp_path / "a.keras", config_json="{}"), tmp_path, "model.h5", "config.json")
    with pytest.raises(DataError, match="times its size") as error:
        taken(zip_of(tmp_path / "b.keras", model_h5=b"\0" * 2**22), tmp_path, "model.h5")
    assert error.value.code == "zip_bomb"
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w") as archive:
        archive.writestr("model.h5", b"")
        archive.writestr("config.json", np.random.default_rng(0).bytes(2**24 + 1))
    (tmp_path / "c.keras").write_bytes(large.getvalue())
    with pytest.raises(DataError, match=r"up to 'config\.json'"):
        taken(tmp_path / "c.keras", tmp_path, "model.h5", "config.json")


@pytest.mark.slow
def test_damage_anywhere_is_said_and_never_a_crash(tmp_path):
    file = written(tmp_path / "a.h5", plain)
    whole, rng = file.read_bytes(), np.random.default_rng(0)
    for _ in range(12):
        data = bytearray(whole)
        for at in rng.integers(8, len(data), 20):
            data[at] = rng.integers(256)
        file.write_bytes(bytes(data))
        try:
            sandbox.call("kd_core.data.archives.h5_contents:unpack", str(file), str(tmp_path), [], [], seconds=60)
        except DataError as error:
            assert error.code.startswith(("h5_", "parse_"))
