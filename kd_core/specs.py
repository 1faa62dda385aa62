"""Everything needed to repeat a run: immutable, checked, hashable.

Forms, help texts and the command line are made from these fields, so every field has a
description, a unit (`json_schema_extra={"unit": ...}`) and bounds.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from kd_core.requests.compress_spec import CompressSpec as CompressSpec
from kd_core.requests.continue_spec import ContinueSpec as ContinueSpec
from kd_core.requests.goals import ChooseSpec as ChooseSpec
from kd_core.requests.grid_spec import SweepSpec as SweepSpec
from kd_core.spec import Choice as Choice
from kd_core.spec import Spec as Spec
from kd_core.spec import unit as unit

Copies = Literal["together", "apart"]
ColumnKind = Literal["number", "category", "boolean", "datetime", "text", "picture", "items", "id", "constant"]

FILE = r"^sha256:[0-9a-f]{64}$"  # pattern of a field that names a file kept in the workspace's uploads
SEVERAL = "several"  # name of an objective that is made of several terms
OFFLINE = "offline"  # name of the usual mode: students learn from stored answers
LABELS = "labels"  # what the hard-label loss is called beside them
AUTO_SEEDS = 3  # seeds of an automatic number to begin with, and of a what-if


class ReadSpec(Spec):
    """How to read the file; every empty value means: find out."""

    later = ("header", "names", "picture_side")

    separator: str | None = Field(
        None, max_length=5, description="Field separator of a text table; found out when empty."
    )
    encoding: str | None = Field(
        None, max_length=40, description="Text encoding, for example utf-8 or gb18030; found out when empty."
    )
    decimal: Literal[".", ","] | None = Field(None, description="Decimal mark; found out when empty.")
    sheet: str | None = Field(None, description="Sheet of a workbook; the first with data when empty.")
    member: str | None = Field(None, description="File inside a zip; all same-schema tables together when empty.")
    comment: str | None = Field(None, max_length=1, description="Lines starting with this character are skipped.")
    header: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Whether the first row holds the column names; found out by comparing it with the rows below.",
    )
    names: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (), max_length=2000, description="Names of the columns, in their order; those of the file when empty."
    )
    picture_side: int = Field(
        64,
        ge=8,
        le=224,
        description="Longest side that pictures are brought to; smaller ones keep their size.",
        json_schema_extra=unit("pixels"),
    )


class DatasetSpec(Spec):
    """From a file to rows with a task and a fixed split."""

    later = ("missing", "rare", "one_class", "copies", "answer_columns", "part", "more_targets")

    source: str = Field(description="'sample:<name>', 'sha256:<hash>' of a file kept in the workspace, or a path.")
    sha256: str | None = Field(
        None, description="Hash of the file's bytes; a different file under the same path is refused."
    )
    name: str = Field("", max_length=120, description="Name to show.")
    read: ReadSpec = Field(default_factory=ReadSpec, description="How to read the file.")
    target: str = Field(description="Column to predict.")
    more_targets: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Further columns to predict beside it: several tasks at once, or the 0/1 columns of one task with many labels.",
        json_schema_extra=unit("names", columns=True),
    )
    task: str | None = Field(None, description="What kind of prediction; inferred from the target when empty.")
    positive: str | None = Field(
        None, description="The class that counts as 'yes' (binary tasks); inferred when empty."
    )
    answer_columns: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Columns with a teacher's answers, of which the target is made where there are no true labels; `target` then names what is made.",
        json_schema_extra=unit("names", columns=True),
    )
    drop: tuple[str, ...] = Field((), description="Columns that are not used.")
    kinds: dict[str, ColumnKind] = Field(default_factory=dict, description="Column types set by hand.")
    missing: dict[str, bool] = Field(
        default_factory=dict,
        description="Columns set by hand: whether words such as NA or ? are missing cells (yes) or values (no).",
    )
    rare: Literal["refuse", "drop", "merge"] = Field(
        "refuse",
        description="What becomes of classes with too few rows: they block, their rows are dropped, or they merge into 'other'.",
    )
    one_class: str | None = Field(
        None, description="Predict this class against all the rest: many classes become yes or no."
    )
    group: str | None = Field(None, description="Rows with the same value stay on one side of the split.")
    time: str | None = Field(None, description="Split by this time column: the newest rows become the test set.")
    part: str | None = Field(
        None,
        description="Column that says of each row: train, validation or test. Shares then count for what it lacks.",
    )
    copies: Copies = Field(
        "together",
        description="Rows with the same features: 'together' keeps them on one side of the split, 'apart' lets them fall anywhere.",
        json_schema_extra=unit("name"),
    )
    validation_share: float = Field(
        0.15, ge=0.05, le=0.4, description="Share of rows for choosing.", json_schema_extra=unit("share of rows")
    )
    test_share: float = Field(
        0.15,
        ge=0.05,
        le=0.4,
        description="Share of rows to judge by at the end; nothing is chosen on them.",
        json_schema_extra=unit("share of rows"),
    )
    split_seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        description="Same data and seed: same split.",
        json_schema_extra=unit("seed", advanced=True),
    )

    @field_validator("task")
    @classmethod
    def _known_task(cls, name: str | None) -> str | None:
        from kd_core.task import TASKS

        known = [f"'{n}'" for n in TASKS.names()]
        if name is not None and name.partition(":")[0] not in TASKS.names():
            raise PydanticCustomError("unknown_task", f"Input should be {', '.join(known[:-1])} or {known[-1]}")
        return name


class StudentSpec(Spec):
    """A student: an architecture under a short name."""

    later = ("objective",)

    name: str = Field(min_length=1, max_length=40, description="Short name to show, for example 'small'.")
    arch: Choice = Field(description="Architecture and its settings.")
    objective: str | None = Field(
        None,
        max_length=40,
        description="In a what-if: the loss that this student is taught by, with its own defaults, in place of the run's.",
    )


class TrainingSpec(Spec):
    """How students and their baselines are trained; both sides get exactly this."""

    later = ("made_rows",)

    epochs: int | None = Field(
        None,
        ge=1,
        le=2000,
        description="Passes over the training rows at most. When empty, chosen from the number of rows, and as many again, "
        "up to six times, while the validation score still gains.",
        json_schema_extra=unit("epochs"),
    )
    batch_size: int | None = Field(
        None,
        ge=8,
        le=65536,
        description="Rows per step; chosen from the number of rows when empty.",
        json_schema_extra=unit("rows", advanced=True),
    )
    learning_rate: float = Field(
        2e-3,
        gt=0,
        le=1e6,
        description="Step size of the optimiser; networks of pictures, which bear larger ones, take 2.5 times as much, linear models 5 times.",
        json_schema_extra=unit("per step", log=True, advanced=True),
    )
    weight_decay: float = Field(
        1e-4, ge=0, le=1, description="Pulls weights towards zero.", json_schema_extra=unit("per step", advanced=True)
    )
    optimiser: Literal["adamw", "sgd"] = Field(
        "adamw", description="How steps are taken.", json_schema_extra=unit("name", advanced=True)
    )
    schedule: Literal["cosine", "constant"] = Field(
        "cosine", description="How the step size changes over training.", json_schema_extra=unit("name", advanced=True)
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=2000,
        description="Epochs without a better validation value before training stops in its first round of epochs; chosen from "
        "the number of rows when empty.",
        json_schema_extra=unit("epochs", advanced=True),
    )
    seeds: int | None = Field(
        None,
        ge=1,
        le=50,
        description="Trainings per student with different random starts; when empty, 3, then two more at a time until "
        "the seeds matter less than the test rows.",
        json_schema_extra=unit("trainings"),
    )
    first_seed: int = Field(
        0,
        ge=0,
        le=2**31 - 100,
        description="The first random seed; the others follow.",
        json_schema_extra=unit("seed", advanced=True),
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="Count rare classes more ('balanced') or every row the same.",
        json_schema_extra=unit("name", advanced=True),
    )
    made_rows: int = Field(
        0,
        ge=0,
        le=4,
        description="Rows made of near training rows and labelled by the teacher, as many times the training rows; taught students "
        "learn from them as well, for about twice the time.",
        json_schema_extra=unit("times the training rows", advanced=True),
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the training arithmetic.", json_schema_extra=unit("name", advanced=True)
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="Where to train; when left open, teacher and students learn where each takes less time: large networks on a GPU, where there is one.",
        json_schema_extra=unit("name", advanced=True),
    )

    @property
    def seeds_at_first(self) -> int:
        """Return how many seeds are trained before anything is judged."""
        return AUTO_SEEDS if self.seeds is None else self.seeds


FOLDS, FOLDS_OF_MANY, MANY_ROWS = 5, 3, 50_000  # with many rows, a teacher of two thirds of them answers as well
NETWORK_FOLDS, NETWORK_ROWS = 2, 20_000  # each fold is one more training of a network, the longest part of a run


class EvaluationSpec(Spec):
    """How the verdict is reached."""

    later = ("placebo", "splits", "references", "threshold")

    metric: str | None = Field(
        None,
        description="Metric of the verdict; ROC-AUC (binary), accuracy (multiclass) or RMSE (regression) when empty.",
    )
    margin: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Differences below this count as the same; the metric's own margin when empty.",
        json_schema_extra=unit("metric units; share of the baseline's value for errors", advanced=True),
    )
    threshold: str | None = Field(
        None,
        pattern=r"^(half|f1|(precision|recall):0?\.\d+)$",
        description="From which probability on the answer is yes (binary tasks), chosen on validation rows: half, f1, precision:.8 or recall:.9; when "
        "empty f1 where fewer than one in ten training rows is positive, else half.",
        json_schema_extra=unit("rule", advanced=True),
    )
    latency: bool = Field(
        True, description="Measure the time per prediction.", json_schema_extra=unit("yes/no", advanced=True)
    )
    folds: int | None = Field(
        None,
        ge=1,
        le=20,
        description="Parts for out-of-fold teacher labels: each row is labelled by a teacher that never saw it; when empty "
        "5, 3 from 50,000 training rows on, and 2 of a network from 20,000 on. 1: one network labels the rows that it was trained on.",
        json_schema_extra=unit("folds", advanced=True),
    )
    placebo: bool = Field(
        True,
        description="Train each student once more on smoothed labels without a teacher, to tell what the teacher itself gave.",
        json_schema_extra=unit("yes/no", advanced=True),
    )
    splits: int = Field(
        1,
        ge=1,
        le=10,
        description="Repeat everything on so many random splits of the rows and tell the spread.",
        json_schema_extra=unit("splits", advanced=True),
    )
    references: bool = Field(
        True,
        description="Set each student beside the best plain model of its size: a linear model, a few trees or a small CNN, without a teacher.",
        json_schema_extra=unit("yes/no", advanced=True),
    )

    def folds_of(self, train_rows: int, network: bool = False, one_basis: bool = False) -> int:
        """Return the number of folds for so many training rows; of a network 1 where the lesson needs features from one fit."""
        if self.folds:
            return self.folds
        if network and train_rows >= NETWORK_ROWS:
            return 1 if one_basis else NETWORK_FOLDS
        return FOLDS_OF_MANY if train_rows >= MANY_ROWS else FOLDS


class RunSpec(Spec):
    """Everything needed to repeat a run. Its hash names the work."""

    later = ("sweep", "choose", "mode", "continues", "compress")

    schema_version: Literal[1] = Field(1, description="Version of this format.")
    name: str = Field("", max_length=120, description="Name to show; not part of the work's identity.")
    dataset: DatasetSpec = Field(description="The data.")
    teacher: Choice = Field(description="Who teaches.")
    students: tuple[StudentSpec, ...] = Field(min_length=1, max_length=12, description="Who learns.")
    objective: Choice = Field(description="What the student is taught.")
    mode: Choice = Field(default_factory=lambda: Choice(name=OFFLINE), description="How teacher and students meet.")
    training: TrainingSpec = Field(default_factory=TrainingSpec, description="How students are trained.")
    evaluation: EvaluationSpec = Field(default_factory=EvaluationSpec, description="How the verdict is reached.")
    sweep: SweepSpec | None = Field(None, description="A grid of variants to train instead of one setting.")
    choose: ChooseSpec | None = Field(
        None, description="Choose one of the students for these goals, and go on with it."
    )
    continues: ContinueSpec | None = Field(
        None, description="Go on from the students of a finished run, with new rows, instead of training new ones."
    )
    compress: CompressSpec | None = Field(
        None, description="Make a student of a finished run smaller, instead of training new ones."
    )

    def title(self) -> str:
        """Name the run for lists: its own name, or its data and its teacher."""
        return self.name or f"{self.dataset.name or self.dataset.target} · {self.teacher.name.replace('_', ' ')}"

    def work_hash(self) -> str:
        """Hash what decides the result: not the names, and the file's content rather than its path."""
        data = self.dataset.model_copy(update={"name": "", "source": self.dataset.sha256 or self.dataset.source})
        more: dict[str, ContinueSpec | CompressSpec] = {}
        if (on := self.continues) is not None:
            more["continues"] = on.model_copy(
                update={"name": "", "run": on.weights or on.run, "source": on.sha256 or on.source}
            )
        if (small := self.compress) is not None:
            more["compress"] = small.model_copy(update={"run": small.weights or small.run})
        return self.model_copy(update={"name": "", "dataset": data, **more}).digest()
