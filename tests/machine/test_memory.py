from kd_core.machine import memory


def group(folder, limit):
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text("700\n")
    (folder / "memory.stat").write_text("anon 500\ninactive_file 150\n")
    return folder


def test_the_smaller_of_machine_and_container_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: type("M", (), {"available": 1000}))
    for limit, expected in ((1200, 650), (5000, 1000), (500, 0), ("max", 1000)):
        monkeypatch.setattr(memory, "CGROUP", group(tmp_path, limit))
        assert memory.free_bytes() == expected
    monkeypatch.setattr(memory, "CGROUP", tmp_path / "none")
    assert memory.free_bytes() == 1000


def test_this_machine_has_some():
    assert 0 < memory.free_bytes() <= memory.psutil.virtual_memory().total
