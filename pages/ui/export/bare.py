"""The model's own file, as the run keeps it and packed: nothing has to be made, and its size is exact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from kd_core.runs.store.folder import RunFolder
from kd_core.task import task_of
from pages.ui.export import making
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

if TYPE_CHECKING:
    from kd_core.export.target import Taken


MOST_COLUMNS = 40  # of a program that somebody copies


def program(taken: Taken, file: str) -> str:
    """Write the few lines that ask the file about a row of the test part in Python; of very many columns those that name them.

    The row is written as the file takes it, and comments say how: numbers as decimals, times in seconds, what stands for a missing cell.
    """
    from kd_core.export.raw_session import RawStudent

    head = ["import numpy as np", "import onnxruntime", "", f'session = onnxruntime.InferenceSession("{file}")']
    given, _ = RawStudent(taken.model).reader.read([taken.sample[0]])
    if len(given) > MOST_COLUMNS:
        return "\n".join([*head[1:], "print([(one.name, one.type) for one in session.get_inputs()])"])
    row = [f"    {name!r}: {_written(v.ravel()[0])},{_unit(taken, name, v)}" for name, v in given.items()]
    kinds = [
        n
        for n, is_text in (("numbers", False), ("words", True))
        if is_text in {v.dtype.kind in "OUS" for v in given.values()}
    ]
    how = [f"# {text.plain(t(f'export.file.{kind}'))}" for kind in kinds]
    said = [f"# {one}" for one in _answered(taken)]
    ask = "print(session.run(None, {name: np.array([[value]]) for name, value in row.items()})[0])"
    return "\n".join([*head, *how, "row = {", *row, "}", *said, ask])


def _unit(taken: Taken, name: str, values: Any) -> str:
    """Say behind a time what its number counts, and which cell of the file it is; nothing behind other values."""
    if (taken.facts["columns"].get(name) or {}).get("kind") != "datetime" or values.dtype.kind in "OUS":
        return ""
    cell = " ".join(str(taken.sample[0].get(name) or "").split())
    return f"  # {text.plain(t('export.file.time', cell=Safe(cell)))}"


def _answered(taken: Taken) -> list[str]:
    """Say what the numbers of an answer are, and from which share on a class is the answer; nothing of a number."""
    classes = [str(one) for one in taken.facts.get("classes") or ()]
    if not classes:
        return []
    said = [text.plain(t("export.file.shares", classes=Safe(" ".join(", ".join(classes).split()))))]
    least = taken.facts.get("threshold")
    if not task_of(taken.facts["task"]).has_classes:
        return said
    if len(classes) == 2:
        key = "threshold" if least is not None else "half"
        said.append(text.plain(t(f"export.file.{key}", yes=Safe(classes[1]), least=f"{least or 0.5:.6g}")))
    else:
        said.append(text.plain(t("export.file.likeliest")))
    return said


def _written(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    return "np.nan" if np.isnan(value) else repr(float(value))


def beyond_graph(taken: Taken) -> list[str]:
    """Say what kinds of columns the model reads that ONNX Runtime alone does not; pictures alone come as a file."""
    kinds = [str(one.get("kind")) for one in taken.facts["columns"].values()]
    found = [name for name, kind in (("texts", "text"), ("pictures", "picture")) if kind in kinds]
    other = taken.facts.get("view", {}).get("kind") == "sequence" or not found
    return [*found, *(["lists"] if other else [])]


def show(folder: RunFolder, taking: Any) -> None:
    """Draw its row: what it needs, how it is opened, and the two forms to download."""
    from kd_core.export import compact
    from kd_core.export.raw_model import DRAWN

    taken = taking.taken
    way = "alone" if taken.facts["schema"] == DRAWN and not taken.facts["texts"] else "reader"
    name = f"{folder.id}-{re.sub(r'[^a-z0-9]+', '-', taken.name.lower()).strip('-')[:40]}.onnx"
    short = making.packed(taken.model)
    with st.container(border=True, key="export-file"):
        st.markdown(f"##### {t('export.file.title')}")
        reads = beyond_graph(taken) if way == "reader" else []
        said = Safe(" · ".join(t(f"export.file.reads_{one}") for one in reads))
        st.markdown(f"**{t('export.needs')}** {t(f'export.file.needs_{way}', reads=said)}")
        st.caption(t("export.file.note"))
        asked = "picture.png" if reads == ["pictures"] else "rows.csv"
        code = program(taken, name) if way == "alone" else str(t("export.file.usage_reader", file=name, rows=asked))
        st.code(code, language=None, wrap_lines=True)
        with st.container(horizontal=True):
            for data, ending in ((taken.model, ""), (short, compact.SUFFIX.removeprefix(".onnx"))):
                st.download_button(
                    t(f"export.file.{'packed' if ending else 'plain'}", size=text.size(len(data))),
                    data,
                    f"{name}{ending}",
                    "application/octet-stream",
                    key=f"export-download-file{ending}",
                    on_click="ignore",
                    icon=":material/download:",
                )
