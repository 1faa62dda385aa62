"""The options that several commands of the command line share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kd_core import specs

Data = Annotated[str, typer.Argument(help="A file, or sample:<name>.")]
Target = Annotated[
    list[str] | None,
    typer.Option(
        help="Column to predict, again for every further one; the folders of a zip of class folders when left out."
    ),
]
Task = Annotated[str | None, typer.Option(help="Kind of prediction; see `list tasks`; inferred when left out.")]
Teachers = Annotated[
    list[str] | None,
    typer.Option(
        "--teacher",
        help="Teacher, see `list teachers`, repeat for several together; when left out gradient_boosting, best (of several) with --student best, and fusion for a zip of pictures beside other columns.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        help="A setting, for example teacher.trees=400, or with several teachers teacher.2.trees=400 and teacher.ensemble.combine=weighted; of the lesson objective.alpha=.5, or with several terms objective.hard=.3, objective.hinton.temperature=4 and objective.hinton.schedule=warm_up; repeat for several.",
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(help="Folds by which training rows are answered out of sample; 1: by the network trained on them."),
]
Students = Annotated[
    list[str] | None,
    typer.Option(
        "--student",
        help="Student size or architecture[:size], repeat for several; or best: one is chosen for the goals below; when left out "
        "small, fusion:small for pictures beside other columns, cnn:small for pictures alone.",
    ),
]
Minutes = Annotated[
    float | None, typer.Option(help="With --student best: time for trying candidates; 5 when left out.")
]
MostBytes = Annotated[
    str | None, typer.Option("--bytes", help="With --student best: its file may be this large, for example 40KB.")
]
MostMicroseconds = Annotated[
    float | None, typer.Option("--microseconds", help="With --student best: one raw row may take this long.")
]
LeastScore = Annotated[
    float | None,
    typer.Option("--score", help="With --student best: the metric on validation rows at least (errors: at most)."),
]
MostLost = Annotated[
    float | None,
    typer.Option(
        "--lost",
        help="With --student best, in place of --score: points (errors: percent) lost against the teacher at most, on validation rows.",
    ),
]
Objective = Annotated[
    list[str] | None,
    typer.Option("--objective", help="Loss, see `list losses`; for several together NAME:WEIGHT, repeated."),
]
ModeName = Annotated[
    str,
    typer.Option(
        "--mode",
        help="How teacher and student meet, see `list modes`; its settings by --set, for example mode.generations=2.",
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        help="Passes of students and baselines at most; chosen from the rows when left out. A network teacher has its own: --set teacher.epochs=10."
    ),
]
MadeRows = Annotated[
    int,
    typer.Option(
        help="Rows made of near training rows and labelled by the teacher, as many times the training rows; 0 to 4."
    ),
]
Seeds = Annotated[
    int | None, typer.Option(help="Trainings per student and arm; as many as the test rows deserve when empty.")
]
Group = Annotated[str | None, typer.Option(help="Rows of one group stay on one side of the split.")]
Time = Annotated[str | None, typer.Option(help="Split by this time column.")]
User = Annotated[
    str | None,
    typer.Option(
        "--user",
        help="Column that names the user, of rows of (user, item, time): what comes next is predicted; needs --item.",
    ),
]
Item = Annotated[str | None, typer.Option("--item", help="Column that names the item, with --user.")]
Part = Annotated[
    str | None,
    typer.Option(
        help="Column that says train, validation or test; when left out that of an archive's folders or files; none: the split is made here."
    ),
]
Copies = Annotated[specs.Copies, typer.Option(help="Rows with the same features: on one side of the split, or apart.")]
Drop = Annotated[list[str] | None, typer.Option(help="Column not to use; repeat for several.")]
Positive = Annotated[str | None, typer.Option(help="The class that counts as yes.")]
Member = Annotated[str | None, typer.Option(help="Table inside a zip, or sheet of a workbook.")]
HeaderRow = Annotated[str, typer.Option("--header", help="Whether the first row holds names: yes, no or auto.")]
Names = Annotated[str | None, typer.Option("--names", help="Names of the columns, with commas between them.")]
Missing = Annotated[
    list[str] | None, typer.Option("--missing", help="Category column where words such as NA are missing cells.")
]
NotMissing = Annotated[list[str] | None, typer.Option("--not-missing", help="Category column where ? is a value.")]
Rare = Annotated[str, typer.Option("--rare", help="Classes with too few rows: refuse, drop or merge.")]
OneClass = Annotated[str | None, typer.Option("--one-class", help="Predict this class against all the rest.")]
Metric = Annotated[
    str | None, typer.Option(help="Metric of the verdict, see `list metrics`; the task's own when left out.")
]
Threshold = Annotated[
    str | None,
    typer.Option(
        help="From which probability on the answer is yes, chosen on validation rows: half, f1, precision:.8 or recall:.9; when left out f1 where fewer than one in ten training rows says yes."
    ),
]
ClassWeights = Annotated[str, typer.Option(help="Count rare classes more in training: none or balanced.")]
Placebo = Annotated[bool, typer.Option(help="Train each student once more on labels smoothed without a teacher.")]
References = Annotated[
    bool,
    typer.Option(
        help="Set each student beside the best plain model of its size: a linear one, a few trees or a small CNN."
    ),
]
Splits = Annotated[int, typer.Option(help="Repeat everything on so many random splits and tell the spread.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write the run to.")]
