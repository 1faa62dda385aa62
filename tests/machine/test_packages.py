"""Versions of packages are found, whatever another thread does to the list of folders they are looked for in."""

from __future__ import annotations

import importlib.metadata
import os
import sys

import pytest

from kd_core.machine import packages


def test_it_is_the_version_that_is_installed():
    assert packages.version("numpy") == importlib.metadata.version("numpy")
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        packages.version("no-such-package-of-ours")


def test_a_folder_taken_out_of_the_list_during_the_search_hides_no_package(monkeypatch, tmp_path):
    """Seen in a browser test: a page's script ended while a bundle was written, and onnxruntime was not found."""
    version, stat = importlib.metadata.version("numpy"), os.stat
    (home,) = {p for p in sys.path if p and list(importlib.metadata.distributions(name="numpy", path=[p]))}
    page = str(tmp_path)

    def look(path, *args, **more):
        """Do as another thread that ends just when this folder is looked into."""
        if path == page and page in sys.path:
            sys.path.remove(page)
        return stat(path, *args, **more)

    monkeypatch.setattr(os, "stat", look)
    for ask, found in ((importlib.metadata.version, None), (packages.version, version)):
        monkeypatch.setattr(sys, "path", [page, home])
        try:
            assert ask("numpy") == found
        except importlib.metadata.PackageNotFoundError:
            assert found is None
        assert sys.path == [home]
