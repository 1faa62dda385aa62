"""Whether a student of several owners' soft labels is better than the best student of one: no label, and no row of the owners, is heard.

    python benchmarks/several_teachers.py --data ../shared/data [--seeds 5] [--epochs 20]

Half of the rows are split among three owners, who train a model each on their own rows with plain scikit-learn; the other half is
public, its labels only judge. Each owner hands out a file with its answers to the public rows. Students learn from one file, or from
the mean of all three, and nothing else. The best student of one is chosen on validation rows; the gain is that on test rows, paired over seeds
and rows, at 95 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kd_core.data.files.reading import read_table
from kd_core.data.library import DataLibrary
from kd_core.data.preparation import prepare
from kd_core.distill.student import train_student
from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import verdict
from kd_core.runs import assessment
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers.answers import teacher_answers
from kd_core.training.loop import ignore, never
from kd_core.workspace import workspace

WHOLE = Choice(name="hinton", settings={"alpha": 1.0})
OWNERS = {
    "forest": lambda: RandomForestClassifier(100, min_samples_leaf=5, random_state=0, n_jobs=1),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=80, random_state=0),
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
}


def sets(data: Path) -> dict[str, tuple[Path, str]]:
    """Name the tables with their targets."""
    sample = DataLibrary(workspace()).resolve("sample:visits")
    return {
        "visits": (sample, "purchased"),
        "online_shoppers": (data / "online_shoppers" / "online_shoppers_intention.csv", "Revenue"),
    }


def owners(frame: pd.DataFrame, target: str, place: Path) -> list[Choice]:
    """Train each owner on its own rows, and write its answers to the public ones; return them as teachers."""
    order = np.random.default_rng(0).permutation(len(frame))
    public, private = frame.iloc[np.sort(order[: len(frame) // 2])], frame.iloc[order[len(frame) // 2 :]]
    public.to_csv(place / "public.csv", index=False)
    found = []
    for number, (name, make) in enumerate(OWNERS.items()):
        own = private.iloc[number :: len(OWNERS)]
        encode = make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
            (
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
                make_column_selector(dtype_exclude="number"),
            ),
        )
        model = make_pipeline(encode, make()).fit(own.drop(columns=target), own[target].astype(str))
        p = model.predict_proba(public.drop(columns=target))
        path = place / f"{name}.csv"
        pd.DataFrame(p, columns=[f"p({c})" for c in model.classes_]).to_csv(path, index=False)
        stored = DataLibrary(workspace(), "uploads").add(path.open("rb"), path.name)
        found.append(Choice(name="soft_labels", settings={"path": stored.source}))
    return found


def compare(name: str, source: Path, target: str, seeds: int, epochs: int) -> None:
    """Print what each student scored, and the gain of the one of all owners."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        frame = read_table(source).frame
        one = owners(frame, target, place)
        data = prepare(DatasetSpec(source=str(place / "public.csv"), target=target))
        together = Choice(name="ensemble", settings={"members": [c.model_dump() for c in one]})
        asked = {**dict(zip(OWNERS, one, strict=True)), "together": together}
        metric, start = task_of(data.task).primary, time.monotonic()
        answers = {
            who: teacher_answers(data, c, folds=2, seed=0, cache=None, notify=ignore, should_stop=never)
            for who, c in asked.items()
        }
        logits: dict[str, list[np.ndarray]] = {}
        chosen: dict[str, float] = {}
        for who, told in answers.items():
            runs = [
                train_student(
                    data,
                    StudentSpec(name="s", arch=Choice(name="mlp", settings={"size": "tiny"})),
                    WHOLE,
                    told.logits["train"],
                    TrainingSpec(epochs=epochs),
                    seed,
                )
                for seed in range(seeds)
            ]
            logits[who] = [r.test_logits() for r in runs]
            chosen[who] = float(np.mean([r.trained.score_selected for r in runs]))
            test = np.mean([assessment.score(data, "test", z, metric) for z in logits[who]])
            own = assessment.score(data, "test", told.logits["test"], metric)
            print(
                f"{name} {who}: teacher {own:.4f}, student {test:.4f} ({metric}, test), {chosen[who]:.4f} on validation"
            )
        best = max(OWNERS, key=chosen.__getitem__)
        evidence = assessment.evidence(data, "test", answers["together"].logits["test"], logits)
        gain = evidence.gain(metric, "together", best)
        assert gain is not None
        word = verdict(gain, float(METRICS.get(metric).facts["margin"])).word
        print(
            f"{name}: together against {best}: {100 * gain.mean:+.2f} points [{100 * gain.low:.2f}, {100 * gain.high:.2f}], {word}; "
            f"{len(data.train):,} public training rows, {seeds} seeds, {time.monotonic() - start:.0f} s",
            flush=True,
        )


def main() -> None:
    """Measure every set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=20)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name, (source, target) in sets(asked.data).items():
        compare(name, source, target, asked.seeds, asked.epochs)


if __name__ == "__main__":
    main()
