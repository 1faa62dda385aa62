"""ONNX Runtime for browsers, fetched once from the npm registry and kept: `python -m kd_core.export.web.runtime`, or `make web`.

Only what a page needs is kept of the package: the module and the smallest WebAssembly build, which has every operator that our files hold.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
import sys
import tarfile
import tempfile
import urllib.request
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import platformdirs

from kd_core.errors import KDError
from kd_core.safe_io import write_bytes

VERSION = "1.30.0"
# As the registry tells it (`npm view onnxruntime-web@1.30.0 dist.integrity`): of the whole package
_SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
_MODULE, _WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
_SHA256 = {
    _MODULE: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    _WASM: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}
_REGISTRY = "https://registry.npmjs.org"
_SECONDS, _STEP = 60, 2**20
LACKING = "ONNX Runtime for browsers is not here yet (33 MB to fetch, once): run `make web`"


@dataclass(frozen=True)
class Runtime:
    """What a page runs a model with, each packed by gzip."""

    module: bytes
    wasm: bytes

    @property
    def licence(self) -> str:
        """Return its licence and those of what it is built of, as the package of the same project for Python ships them."""
        package = resources.files("onnxruntime")
        texts = [(package / name).read_text("utf-8") for name in ("LICENSE", "ThirdPartyNotices.txt")]
        return "\n\n".join(texts)


def place() -> Path:
    """Return the folder in which it is kept, shared by all workspaces of a person."""
    return Path(platformdirs.user_cache_dir("kd-workbench", appauthor=False)) / f"onnxruntime-web-{VERSION}"


def is_here() -> bool:
    """Say whether it was fetched."""
    return all((place() / f"{name}.gz").is_file() for name in _SHA256)


def kept() -> Runtime:
    """Read it, checked by its hash. Errors: KDError `no_web_runtime`, `web_runtime_damaged`."""
    if not is_here():
        raise KDError(f"{LACKING[: LACKING.index(':')]}.", "Run `make web` in the project's folder.", "no_web_runtime")
    packed = {name: (place() / f"{name}.gz").read_bytes() for name in _SHA256}
    for name, data in packed.items():
        try:
            right = hashlib.sha256(gzip.decompress(data)).hexdigest() == _SHA256[name]
        except (OSError, EOFError, ValueError):  # gzip's own words for bytes that are none
            right = False
        if not right:
            raise KDError(
                "ONNX Runtime for browsers is damaged: {path} is not what was fetched.",
                "Delete that folder and run `make web` again.",
                "web_runtime_damaged",
                path=str(place() / f"{name}.gz"),
            )
    return Runtime(packed[_MODULE], packed[_WASM])


def fetch() -> None:
    """Fetch the package from the registry that npm is told to use, check it and keep what is needed; nothing where it is here.

    Errors: KDError `web_runtime_not_fetched`, `web_runtime_other`.
    """
    if is_here():
        return
    named = [os.environ.get(name) for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY")]
    registry = next(filter(None, named), _REGISTRY)
    address = f"{registry.rstrip('/')}/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
    if not address.startswith(("https://", "http://")):
        raise _not_fetched(address, "the registry is no web address")
    with tempfile.TemporaryFile() as file:
        found = hashlib.sha512()
        try:
            with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 a web address, as checked above
                while part := answer.read(_STEP):
                    found.update(part)
                    file.write(part)
        except OSError as error:
            raise _not_fetched(address, str(error)) from None
        if base64.b64encode(found.digest()).decode() != _SHA512:
            raise KDError(
                "What {address} gave is not onnxruntime-web {version}: its hash is another one.",
                "Try again later or another registry (npm_config_registry); nothing was kept.",
                "web_runtime_other",
                address=address,
                version=VERSION,
            )
        file.seek(0)
        place().mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=file) as package:
            for name in _SHA256:
                member = package.extractfile(f"package/dist/{name}")
                assert member is not None  # the hash of the whole says so
                write_bytes(place() / f"{name}.gz", gzip.compress(member.read(), 9, mtime=0))


def _not_fetched(address: str, why: str) -> KDError:
    return KDError(
        "ONNX Runtime for browsers could not be fetched from {address}: {why}.",
        "Connect to the network, or name a registry that can be reached: npm_config_registry=https://... make web",
        "web_runtime_not_fetched",
        address=address,
        why=why.rstrip("."),
    )


if __name__ == "__main__":
    try:
        fetch()
    except KDError as told:
        sys.exit(f"error: {told.message}\nhint: {told.hint}")
