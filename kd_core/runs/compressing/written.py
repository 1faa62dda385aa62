"""What a run that makes a student smaller keeps for a person: every stage as a student to ask, and the rows to ask it about."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from kd_core.data.dataset import Dataset
from kd_core.runs.artifacts import how_read, write_model
from kd_core.runs.compressing.carrying import Carried
from kd_core.runs.continuing.earlier import Earlier
from kd_core.runs.deployment import Deployment, purpose_of
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.safe_io import Damaged, write_bytes, write_json

KEPT_ARRAYS = ("row_ids", "labels", "teacher")
KEPT_FACTS = ("rows_kept", "rows_of", "target_mean", "target_std")


def write_stages(
    folder: RunFolder,
    dataset: Dataset,
    carried: Carried,
    deployments: Mapping[int, Deployment],
    kept_seed: int,
    alone: bool,
) -> dict[int, dict[str, Any]]:
    """Write weights and file of every stage that has one, and list them in model.json; return their relative paths by number."""
    paths: dict[int, dict[str, Any]] = {}
    models = []
    for node in carried.tree.nodes:
        seeds, deployed = carried.seeds_of(node.number), deployments.get(node.number)
        if not seeds or deployed is None or (node.number and deployed.data is None):
            continue
        seed = kept_seed if kept_seed in seeds else seeds[0]
        stage = carried.stage(node.number, seed)
        stem = f"artifacts/stages/{node.number}"
        written = write_model(folder, stem, stage.module, deployed, dataset, stage.arch)
        arm = {"arm": "baseline"} if alone else {}
        told = {"seed": seed, **arm, **written}
        paths[node.number] = told
        models.append({"index": node.number, "name": node.name, **told, **how_read(deployed, dataset, stage.arch)})
    write_json(folder.path / MODEL, {"schema": 1, **purpose_of(dataset).told(), "students": models})
    return paths


def copy_rows(earlier: Earlier, student: str, folder: RunFolder) -> dict[str, Any]:
    """Take over the rows that the earlier run kept, with its teacher's and this student's answers. Errors: KDError `run_damaged`."""
    told = earlier.result["artifacts"]
    own = next(one for one in told["students"] if one["name"] == student)
    place = folder.path / "artifacts"
    place.mkdir(exist_ok=True)
    try:
        shutil.copyfile(earlier.folder.artifact("rows.parquet"), place / "rows.parquet")
        with np.load(earlier.folder.artifact("soft_labels.npz"), allow_pickle=False) as held:
            arrays = {name: held[name] for name in KEPT_ARRAYS if name in held}
            arrays |= {f"{arm}_0": held[f"{arm}_{own['index']}"] for arm in ("student", "baseline")}
    except (OSError, KeyError, ValueError) as error:
        raise earlier.folder.damaged("artifacts", Damaged(f"lack rows that were kept ({str(error)[:150]})")) from None
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(place / "soft_labels.npz", buffer.getvalue())
    kept = {name: told[name] for name in KEPT_FACTS}
    return {"model": MODEL, "soft_labels": "artifacts/soft_labels.npz", "rows": "artifacts/rows.parquet", **kept}
