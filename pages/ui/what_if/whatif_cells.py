"""The cells of a what-if as the screen tells them: chosen, placed, put into words. No drawing here.

A cell is one setting (student, T, alpha, learning rate, weight decay, dropout) in the shape of result.json.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.runs.store.folder import RunFolder
from pages.ui.result import recipe, verdict
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

Cell = Mapping[str, Any]
SHARED = ("learning_rate", "weight_decay", "dropout")  # one value at a time in the map
STRONG = 3  # margins at which the map's colour may be strongest
SETTINGS = ("temperature", "alpha", *SHARED)


@dataclass(frozen=True)
class Grid:
    """What is known of a what-if's cells now. `metric` is what cells are chosen by, on validation rows.

    `asked`, `variants` and `trainings` count what was asked for; `cells` holds what is known, in the order of the grid.
    """

    cells: tuple[Cell, ...]
    metric: str
    best: int | None
    best_of: Mapping[str, int] = field(default_factory=dict)
    asked: int = 0
    variants: int = 0
    trainings: int = 0
    mode: str = ""
    why: str = ""
    seconds: float | None = None
    seeds: int = 0
    teacher: float | None = None  # its score on validation rows
    margin: float | None = None  # the run's own, where it has one for this metric; else the metric's

    @property
    def students(self) -> list[str]:
        """Names of the students, in the order of the spec."""
        return list(dict.fromkeys(str(c["student"]) for c in self.cells))

    def values(self, name: str) -> list[float]:
        """The values a setting takes, ascending; empty where no cell has the setting."""
        return sorted({c[name] for c in self.cells if c.get(name) is not None})

    def varying(self, among: Sequence[str] = SETTINGS) -> list[str]:
        """Name the settings that take more than one value."""
        return [n for n in among if len(self.values(n)) > 1]

    def cell(self, index: int | None) -> Cell | None:
        """The cell with this number, or None."""
        return next((c for c in self.cells if c["cell"] == index), None)


@functools.lru_cache(maxsize=32)
def _read(path: Path, changed_ns: int) -> Mapping[str, Any] | None:
    return RunFolder(path).result()


def read(folder: RunFolder) -> Mapping[str, Any] | None:
    """Read the result of a what-if, again only when the file has changed; None when it has none."""
    try:
        changed = (folder.path / "result.json").stat().st_mtime_ns
    except FileNotFoundError:
        return None
    found = _read(folder.path, changed)
    return found if found and found.get("sweep") else None


def of_result(found: Mapping[str, Any], seeds: int = 0) -> Grid:
    """Read the grid of a finished (or stopped) what-if; `seeds` is how many were asked for."""
    s = found["sweep"]
    metric = found.get("metric") or {}
    return Grid(
        cells=tuple(s["cells"]),
        metric=str(metric.get("selection") or metric.get("name") or ""),
        best=s.get("best"),
        best_of=s.get("best_of") or {},
        asked=int(s.get("cells_asked") or len(s["cells"])),
        variants=int(s.get("variants") or 0),
        trainings=int(s.get("trainings") or 0),
        mode=str(s.get("mode") or ""),
        why=str(s.get("why") or ""),
        seconds=s.get("seconds"),
        seeds=seeds,
        teacher=next((r.get("teacher") for r in found.get("room") or ()), None),
        margin=metric.get("margin") if metric.get("selection") in (None, metric.get("name")) else None,
    )


def of_progress(snapshot: Any, *, active: bool) -> Grid | None:
    """Read the grid of a what-if from its events: while it trains, or when it ended without a result.

    None before the plan is known.
    """
    now = snapshot.sweep
    if now is None:
        return None
    cells = tuple({**c, "pending": active and not all(c["done"])} for c in now.cells)
    metric = str((snapshot.plan or {}).get("metric") or "")
    return Grid(
        cells=cells,
        metric=metric,
        best=now.best,
        asked=len(cells),
        variants=now.variants,
        trainings=now.trainings,
        mode=str(now.mode or ""),
        why=str(now.why or ""),
        seconds=snapshot.elapsed_s,
        seeds=snapshot.spec.training.seeds_at_first,
        margin=snapshot.spec.evaluation.margin,
    )


def judged(cell: Cell) -> bool:
    """Say whether a cell has a score."""
    return cell.get("mean") is not None


def chosen(grid: Grid, student: str, fixed: Mapping[str, float]) -> list[Cell]:
    """Cells of one student at fixed values of the settings that the map does not show."""
    return [c for c in grid.cells if c["student"] == student and all(c.get(n) == v for n, v in fixed.items())]


def unclear(grid: Grid, cell: Cell) -> bool:
    """Say whether a cell's gain may be nothing: its interval holds 0, or, without one, it is below the margin."""
    gain = cell.get("gain") or {}
    low, high = gain.get("ci95") or (None, None)
    if low is None or high is None:
        return abs(in_units(grid.metric, gain.get("mean")) or 0.0) < margin(grid)
    return bool(low <= 0 <= high)


def is_baseline(cell: Cell) -> bool:
    """Say whether a cell learns nothing from the teacher, so that it is its own baseline."""
    return cell.get("alpha") == 0


def setting(name: str, value: float | None) -> str:
    """Write one setting: T=4, α=0.75, learning rate 0.002."""
    return "" if value is None else str(t(f"what_if.short.{name}", value=f"{value:g}"))


def setting_words(grid: Grid, cell: Cell, *, student: bool = True) -> str:
    """Write what tells a cell apart from the others, as plain text."""
    names = [n for n in SETTINGS if n in ("temperature", "alpha") or n in grid.varying(SHARED)]
    parts = [str(cell["student"])] if student and len(grid.students) > 1 else []
    parts += [s for n in names if (s := setting(n, cell.get(n)))]
    return ", ".join(parts)


def unit_word(metric: str) -> str:
    """Name the unit of a gain: points, or the metric's own."""
    return str(t("what_if.points")) if verdict.is_share(metric) else verdict.metric_title(metric)


def in_units(metric: str, value: float | None) -> float | None:
    """Turn a gain into what is written: points for shares, else as it is."""
    return None if value is None else 100 * value if verdict.is_share(metric) else value


def gain_words(metric: str, cell: Cell) -> Safe:
    """Tell the gain with its interval: +1.1 points [+0.7, +1.5]."""
    gain = cell.get("gain") or {}
    if gain.get("mean") is None:
        return t("what_if.no_gain")
    if is_baseline(cell):
        return t("what_if.own_baseline")
    low, high = gain.get("ci95") or (None, None)
    shown = f"{verdict.signed_points(metric, gain['mean'])} {unit_word(metric)}"
    if low is not None and high is not None:
        shown += f" [{verdict.signed_points(metric, low)}, {verdict.signed_points(metric, high)}]"
    return escape(shown)


def why_missing(cell: Cell) -> Safe:
    """Say why a cell has no score."""
    if cell.get("diverged"):
        return t("what_if.missing.diverged")
    if cell.get("stopped"):
        return t("what_if.missing.stopped")
    return t("what_if.missing.waiting" if cell.get("pending") else "what_if.missing.not_trained")


def hover(grid: Grid, cell: Cell) -> str:
    """Tell a cell in a few lines for the pointer; already safe for Plotly."""
    lines = [f"<b>{escape(setting_words(grid, cell))}</b>"]
    if not judged(cell):
        return "<br>".join([*lines, str(why_missing(cell))])
    title = escape(verdict.metric_title(grid.metric))
    lines.append(f"{title} {text.score(cell['mean'])}")
    lines.append(str(t("what_if.hover.gain", gain=gain_words(grid.metric, cell))))
    if cell.get("word") and not is_baseline(cell):
        lines.append(str(t(f"runs.word.{cell['word']}")))
    behind = cell.get("behind") or {}
    if cell["cell"] == grid.best:
        lines.append(str(t("what_if.hover.best")))
    elif cell.get("like_best"):
        lines.append(str(t("what_if.hover.like")))
    elif behind.get("mean") is not None:
        lines.append(str(t("what_if.hover.behind", value=verdict.points(grid.metric, behind["mean"]))))
    known = [s for s in cell.get("scores") or () if s is not None]
    lines.append(str(t("what_if.hover.seeds", num=len(known), of=max(grid.seeds, len(known)))))
    if cell.get("diverged"):
        lines.append(str(t("what_if.hover.diverged", num=cell["diverged"])))
    if cell.get("stopped"):
        lines.append(str(t("what_if.hover.stopped")))
    return "<br>".join(lines)


def written(grid: Grid, cell: Cell) -> str:
    """The few characters that stand in a cell of the map."""
    mean = (cell.get("gain") or {}).get("mean")
    if not judged(cell) or mean is None:
        return "…" if cell.get("pending") else "–"
    shown = "0" if is_baseline(cell) else verdict.signed_points(grid.metric, mean)
    return f"★ {shown}" if cell["cell"] == grid.best else shown


def placed(grid: Grid, cells: Sequence[Cell], picked: int | None) -> list[dict[str, Any]]:
    """Lay cells out for the map: row = alpha, column = temperature (or the only setting that varies)."""
    alphas, temperatures = axis(cells, "alpha"), axis(cells, "temperature")
    framed = like_best(cells) if few_like_best(cells) else []
    made = []
    for c in cells:
        gain = c.get("gain") or {}
        low, high = gain.get("ci95") or (None, None)
        made.append(
            {
                "id": c["cell"],
                "row": alphas.index(c.get("alpha")),
                "column": temperatures.index(c.get("temperature")),
                "gain": in_units(grid.metric, gain.get("mean")) if judged(c) else None,
                "low": in_units(grid.metric, low),
                "high": in_units(grid.metric, high),
                "text": written(grid, c),
                "hover": hover(grid, c),
                "best": c["cell"] == grid.best,
                "like": c in framed,
                "picked": c["cell"] == picked,
                "faded": unclear(grid, c),
            }
        )
    return made


def like_best(cells: Sequence[Cell]) -> list[Cell]:
    """The cells that can't be told apart from the best one."""
    return [c for c in cells if c.get("like_best") and judged(c)]


def few_like_best(cells: Sequence[Cell]) -> bool:
    """Say whether those are few enough to be worth a frame: at most a quarter of the map, or two."""
    return len(like_best(cells)) <= max(2, sum(map(judged, cells)) // 4)


def axis(cells: Sequence[Cell], name: str) -> list[float | None]:
    """The values of a setting among some cells, ascending; [None] where they have none."""
    found = sorted({c[name] for c in cells if c.get(name) is not None})
    return [*found] if found else [None]


def diverged(grid: Grid) -> int:
    """Count the trainings that came to no usable end; cells with alpha 0 share theirs, so each counts once."""
    lost: dict[tuple[Any, ...], int] = {}
    for c in grid.cells:
        own = () if is_baseline(c) else (c["cell"],)
        lost[(c["student"], *(c.get(n) for n in SHARED), *own)] = int(c.get("diverged") or 0)
    return sum(lost.values())


def margin(grid: Grid) -> float:
    """The gain that counts as the same, in what is written (points for shares)."""
    facts = METRICS.get(grid.metric).facts if grid.metric in METRICS.names() else {"margin": 0.0, "relative": False}
    alone = [abs(v) for c in grid.cells for v in c.get("baseline") or () if v is not None]
    own = facts["margin"] if grid.margin is None else grid.margin
    value = own * (sum(alone) / len(alone) if alone else 0.0) if facts["relative"] else own
    return float(in_units(grid.metric, value) or 0.0)


def scale(grid: Grid) -> float:
    """The gain at which the colour is strongest: the largest of all cells, so that maps of students compare.

    Never below `STRONG` margins: differences that count as the same stay pale.
    """
    gains = [in_units(grid.metric, (c.get("gain") or {}).get("mean")) for c in grid.cells if judged(c)]
    return max([*(abs(g) for g in gains if g is not None), STRONG * margin(grid), 1e-9])


def lines(grid: Grid, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Lay cells out as a table, the best score first; plain values with units in the column names."""
    sign = 1.0 if verdict.lower_is_better(grid.metric) else -1.0
    known = sorted((c for c in cells if judged(c)), key=lambda c: sign * c["mean"])
    return [_line(grid, c) for c in [*known, *(c for c in cells if not judged(c))]]


def _line(grid: Grid, c: Cell) -> dict[str, Any]:
    metric, k = verdict.metric_title(grid.metric), "what_if.column."
    varying = [n for n in SETTINGS if grid.values(n)]
    gain = c.get("gain") or {}
    word = str(t(f"runs.word.{c['word']}")).capitalize() if c.get("word") and not is_baseline(c) else None
    mark = "★" if c["cell"] == grid.best else "=" if c.get("like_best") and judged(c) else ""
    return {
        str(t(f"{k}cell")): c["cell"],
        str(t(f"{k}mark")): mark,
        str(t(f"{k}student")): str(c["student"]),
        **{str(t(f"{k}{n}")): c.get(n) for n in varying},
        str(t(f"{k}score", metric=metric)): c.get("mean"),
        str(t(f"{k}gain", unit=unit_word(grid.metric))): in_units(grid.metric, gain.get("mean")),
        str(t(f"{k}interval")): str(gain_interval(grid.metric, c)),
        str(t(f"{k}word")): word,
        str(t(f"{k}size")): text.size(c.get("size_bytes")),
        str(t(f"{k}latency")): text.milliseconds(c.get("latency_ms")),
    }


def gain_interval(metric: str, cell: Cell) -> Safe:
    """The 95 % interval of the gain alone, or a dash."""
    low, high = (cell.get("gain") or {}).get("ci95") or (None, None)
    if low is None or high is None:
        return Safe("–")
    return Safe(f"[{verdict.signed_points(metric, low)}, {verdict.signed_points(metric, high)}]")


def csv(grid: Grid) -> str:
    """Write every cell, seed by seed, with exact numbers; cells a spreadsheet would run are defused."""
    names = [
        "cell",
        "student",
        *SETTINGS,
        "seed",
        "score",
        "baseline",
        "mean",
        "gain_mean",
        "gain_low",
        "gain_high",
        "word",
        "best",
        "like_best",
        "selected_epoch",
        "parameters",
        "size_bytes",
        "latency_ms",
    ]
    rows: list[list[Any]] = [[*names[:8], f"{grid.metric}", f"baseline_{grid.metric}", *names[10:]]]
    for c in grid.cells:
        gain = c.get("gain") or {}
        low, high = gain.get("ci95") or (None, None)
        told = [
            c.get("mean"),
            gain.get("mean"),
            low,
            high,
            c.get("word"),
            c["cell"] == grid.best,
            bool(c.get("like_best")),
        ]
        costs = [c.get("parameters"), c.get("size_bytes"), c.get("latency_ms")]
        for i, seed in enumerate(c.get("seeds") or [None]):
            per_seed = [_at(c.get(n), i) for n in ("scores", "baseline")]
            rows.append(
                [
                    c["cell"],
                    c["student"],
                    *(c.get(n) for n in SETTINGS),
                    seed,
                    *per_seed,
                    *told,
                    _at(c.get("selected_epochs"), i),
                    *costs,
                ]
            )
    return recipe.write_csv(rows)


def _at(values: Any, place: int) -> Any:
    return values[place] if values and place < len(values) else None
