"""The content of result.json: the cells of a run compared on validation rows, each student's best one judged on the test part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kd_core.errors import KDError, Stopped
from kd_core.evaluate import METRICS
from kd_core.machine.timing import p50
from kd_core.models.sizes import sizes_for
from kd_core.runs import headroom, yes_no
from kd_core.runs.artifacts import write_artifacts, write_cells
from kd_core.runs.cells import cell_scores, grid
from kd_core.runs.cells.cell_scores import Judge, Score
from kd_core.runs.cells.grid import Arm
from kd_core.runs.cells.trainings import NOTHING, Notify, Trainings
from kd_core.runs.cells.variant_store import Finished, Training, code_of_trainings
from kd_core.runs.deployment import Deployment, deploy, with_reading
from kd_core.runs.plain.items import ItemReferences
from kd_core.runs.plain.references import References
from kd_core.runs.result import ResultBuilder
from kd_core.runs.settings import answers, sentence, shuffled, tried
from kd_core.runs.settings.added import Added
from kd_core.runs.store import ledger
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice
from kd_core.teachers.base import TeacherAnswers, teacher_view
from kd_core.training.plan import resolve
from kd_core.workspace import workspace

Take = Callable[[Mapping[Arm, float | None]], Arm]


class Judging:
    """The trainings of a run so far: every cell's scores, the best cell of each student and its arms.

    Only validation rows are looked at until `result` is asked for. `most_bytes`: what a student's file should take at most;
    `take`: says whose model is deployed, that of the taught arm or of the one alone, by the `means` of their scores; without it the
    taught one's. Errors: Stopped when nothing was finished; KDError `all_diverged`.
    """

    def __init__(
        self, trainings: Trainings, teacher: TeacherAnswers, most_bytes: int | None = None, take: Take | None = None
    ) -> None:
        self.trainings, self.teacher, self.most_bytes = trainings, teacher, most_bytes
        self.spec, self.dataset, self.device = trainings.spec, trainings.dataset, trainings.device
        facts = METRICS.get(trainings.metric).facts
        self.judge = Judge(facts["better"], self.spec.evaluation.margin or facts["margin"], facts["relative"])
        self.rule = yes_no.rule_of(self.dataset, self.spec.evaluation)
        self.scores = [
            cell_scores.gather(
                c, trainings.seeds, [_score(f) for f in trainings.own(c)], [_score(f) for f in trainings.alone(c)]
            )
            for c in trainings.cells
        ]
        best = cell_scores.best(self.scores, self.judge.better)
        if best is None:
            raise self._nothing()
        self.best = best
        of_each = [[s for s in self.scores if s.cell.student == i] for i in range(len(self.spec.students))]
        chosen = {i: cell_scores.best(scores, self.judge.better) for i, scores in enumerate(of_each)}
        self.chosen = {index: cell for index, cell in chosen.items() if cell is not None}
        self.means: dict[Arm, float | None] = {}
        self.arms = {index: trainings.arms(trainings.cells[cell]) for index, cell in self.chosen.items()}
        for arms in self.arms.values():
            if take is not None:
                self.means = {"student": _mean(arms.student), "baseline": _mean(arms.baseline)}
                arms.taken = take(self.means)
            arms.kept = self._by_score(arms.offered)[0]

    def room(self) -> list[dict[str, Any]]:
        """Compare teacher and baselines on validation, which costs no test rows; not where the labels are the teacher's."""
        if self.spec.dataset.answer_columns:
            return []
        names, metric = [s.name for s in self.spec.students], self.trainings.metric
        return [
            headroom.compare(self.dataset, names[i], self.teacher, arms.baseline, metric, self.device)
            for i, arms in self.arms.items()
        ]

    def result(
        self, folder: RunFolder, room: list[dict[str, Any]], seconds: float, notify: Notify, *, files: bool = True
    ) -> dict[str, Any]:
        """Read the test part once, for the chosen cells only, and with `files` keep what a person may want to see.

        Units: `seconds` of the trainings.
        """
        spec, trainings = self.spec, self.trainings
        reads = ledger.note_read(workspace(), self.dataset.hash, f"{folder.path.resolve()}{Added.of(folder).mark}")
        build = ResultBuilder(spec, self.dataset, self.teacher, trainings.metric, room, self.device)
        deployments: dict[int, Deployment] = {}
        for number, (index, arms) in enumerate(self.arms.items(), 1):
            cell = trainings.cells[self.chosen[index]]
            recipe = grid.cell_spec(spec, cell)
            if files:
                arms.kept, deployments[index] = self._deployed(arms.offered, recipe.students[0].arch)
            build.add(index, arms, recipe, cell.index, deployments.get(index))
            notify({"kind": "part", "phase": "evaluate", "done": number, "of": len(self.arms) + 1})
        artifacts: dict[str, Any] = {}
        if files and spec.evaluation.latency:
            kind = teacher_view(spec.teacher, self.dataset.views.kinds)
            build.whole = with_reading(self.teacher.latency_ms, self.dataset, kind) if kind else {}
        asked = files and spec.evaluation.references
        plain = build.compare(self._references(notify)) if asked else []
        build.give_words()
        if files:
            students = [  # as they were trained: a cell's dropout adds layers, and with them names of weights
                grid.student_of(spec, trainings.cells[self.chosen[i]]) if i in self.chosen else student
                for i, student in enumerate(spec.students)
            ]
            recipe = spec.model_copy(update={"students": tuple(students)})
            alone = {
                index: self._deployed(arms.baseline, recipe.students[index].arch)
                for (index, arms), one in zip(self.arms.items(), build.judged, strict=True)
                if arms.taken == "student" and one.entry["verdict"] == "hurts"
            }
            pairs = list(self.arms.items())
            artifacts = write_artifacts(
                folder, recipe, self.dataset, self.teacher, pairs, deployments, plain, alone, self.device
            )
        if files and spec.sweep:
            kept = [self._best_seed(s) for s in self.scores]
            artifacts |= write_cells(folder, self.dataset, self.teacher.logits["validation"], kept, self.device)
        more: dict[str, Any] = {}
        plan = resolve(spec.training, len(self.dataset.train), spec.students[0].arch.name)  # of every arm
        if self.means:
            more["settled"] = {"seeds": len(trainings.seeds), **self.means}
        more["budget"] = {**plan.to_dict(), "most_epochs": plan.most_epochs}
        costs = {j.entry["name"]: (j.entry["size_bytes"], p50(j.entry["latency_ms"])) for j in build.judged}
        cells = self._cells(costs)
        if spec.sweep:
            unit = sentence.Unit.of(build.metric["unit"], build.metric["title"])
            found = answers.answer(tried.of_result(cells, spec), self.judge, self.best)
            if found.best == self.best:  # the frame holds what the answer does not call worse
                cells = [{**c, "like_best": c["cell"] in found.alike} for c in cells]
            answer = {"line": sentence.line(found, unit), **found.told()}
            more["sweep"] = {**self._sweep(seconds), "answer": answer, **self._shuffled(unit)}
        return build.finish(folder.id, artifacts, reads, cells=cells, **more)

    def _deployed(self, side: Sequence[Training], arch: Choice) -> tuple[int, Deployment]:
        """Deploy the seed that scored best on validation, of those whose file keeps the limit; the smallest where none does."""
        tried: dict[int, Deployment] = {}
        for position in self._by_score(side):
            found = tried[position] = deploy(side[position].module, self.dataset, arch, rule=self.rule)
            if self.most_bytes is None or found.data is None or len(found.data) <= self.most_bytes:
                break
        else:
            position = min(tried, key=lambda p: len(tried[p].data or b""))
        return position, tried[position]

    def _by_score(self, side: Sequence[Training]) -> list[int]:
        """Order the seeds' positions by their score on validation, the best first."""
        return cell_scores.in_order([t.record.score_selected for t in side], self.judge.better)

    def _references(self, notify: Notify) -> References | ItemReferences:
        if self.dataset.catalogue is not None:
            return ItemReferences(self.dataset, self.trainings.metric, self.judge.better)
        trainings, done = self.trainings, len(self.arms)

        def tell(title: str) -> None:
            notify({"kind": "part", "phase": "evaluate", "done": done, "of": done + 1, "what": title})

        about = self.dataset, self.spec.training, trainings.metric, self.judge.better, trainings.seeds
        return References(*about, trainings.should_stop, self.device, tell, self.rule)

    def _sweep(self, seconds: float) -> dict[str, Any]:
        asked = grid.count(self.spec)
        return {
            "axes": grid.axes(self.spec),
            "best": self.best,
            "best_of": {self.spec.students[i].name: chosen for i, chosen in self.chosen.items()},
            "cells_asked": asked.cells,
            "cells_compared": sum(bool(s.paired[0]) for s in self.scores),
            "variants": asked.variants,
            "trainings": len(self.trainings.asked),
            "code": code_of_trainings(),
            "trained": len(self.trainings.found),
            "trained_now": len(self.trainings.found) - self.trainings.kept,
            **self.trainings.way,
            "seconds": round(seconds, 3),
        }

    def _shuffled(self, unit: sentence.Unit) -> dict[str, Any]:
        """Tell every taught cell's scores with the teacher's answers in another order of rows; nothing where nobody asked."""
        trainings = self.trainings
        found = {c.index: [_score(f) for f in trainings.shuffled(c)] for c in trainings.cells}
        names = [s.name for s in self.spec.students]
        told = shuffled.told(self.scores, found, trainings.seeds, self.judge, unit, names)
        return {"shuffled": told} if told else {}

    def _nothing(self) -> Exception:
        """Say why there is no cell to show."""
        found = self.trainings.found.values()
        if any(f.record.stopped for f in found) or len(found) < len(self.trainings.asked):
            return Stopped(NOTHING)
        alone = any(f.usable for f in found if f.record.arm == "baseline")
        return KDError(
            "No cell can be compared: {diverged} of {n} trainings did not come to a usable end{more}.",
            "Try smaller learning rates.",
            "all_diverged",
            diverged=sum(not f.usable for f in found),
            n=len(found),
            more="" if alone else ", every baseline among them",
        )

    def _best_seed(self, scores: cell_scores.CellScores) -> Finished | None:
        """Return the training of a cell that scored best on validation."""
        if not scores.scores:
            return None
        seed = scores.seeds[cell_scores.in_order(scores.scores, self.judge.better)[0]]
        return self.trainings.own(scores.cell)[self.trainings.seeds.index(seed)]

    def _cells(self, costs: Mapping[str, tuple[int, float | None]]) -> list[dict[str, Any]]:
        """Write every cell; bytes and time of a student's chosen cell hold for all of its cells."""
        sizes, rows = [sizes_for(self.dataset, s.arch) for s in self.spec.students], []
        for scores in self.scores:
            name, size = self.spec.students[scores.cell.student].name, sizes[scores.cell.student]
            epochs = {f.record.seed: f.record.selected_epoch for f in self.trainings.own(scores.cell) if f is not None}
            rows.append(
                {
                    **cell_scores.told(scores, self.scores[self.best], self.judge, name),
                    "selected_epochs": [epochs[n] for n in scores.seeds],
                    "parameters": size.parameters,
                    "size_bytes": costs.get(name, (size.size_bytes, None))[0],
                    "latency_ms": costs.get(name, (0, None))[1],
                }
            )
        return rows


def _score(finished: Finished | None) -> Score | None:
    if finished is None:
        return None
    value = finished.record.score_selected if finished.kept is not None else None
    return Score(value, finished.record.stopped, finished.record.diverged is not None)


def _mean(side: Sequence[Training]) -> float | None:
    """Average the validation scores of an arm's seeds."""
    scores = [t.record.score_selected for t in side if t.record.score_selected is not None]
    return sum(scores) / len(scores) if scores else None
