"""Chains carried out for every seed: each stage made of the one before it, kept as it is finished, and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kd_core.compress.base import STEPS, Stage, Work, learns
from kd_core.compress.cutting import reshaped
from kd_core.compress.whole_numbers.network import answers_of
from kd_core.data.dataset import Array, Split
from kd_core.data.onnx_file import RUNTIME_ERRORS
from kd_core.distill.sweep.variants import digest_of
from kd_core.errors import KDError, Stopped
from kd_core.models.building import build_for, cpu_state, deployed_state, start_weights
from kd_core.runs import assessment
from kd_core.runs.compressing.stage_store import Made, Side, StageStore
from kd_core.runs.compressing.tree import Node, Tree
from kd_core.training.loop import ignore
from kd_core.training.predict import predict

_NOT_REACHED = "the stage before it could not be made"


@dataclass
class Carried:
    """What came of a tree: stages by number and seed, and for steps that learn the same without a teacher in `again`."""

    tree: Tree
    seeds: list[int]
    made: dict[tuple[int, int], Made] = field(default_factory=dict)
    again: dict[tuple[int, int], Made] = field(default_factory=dict)
    stopped: bool = False

    def seeds_of(self, number: int, side: Side = "taught") -> list[int]:
        """Return the seeds for which a stage was made."""
        found = self.made if side == "taught" else self.again
        return [s for s in self.seeds if (one := found.get((number, s))) is not None and one.stage is not None]

    def stage(self, number: int, seed: int, side: Side = "taught") -> Stage:
        """Return a stage that was made."""
        found = (self.made if side == "taught" else self.again)[number, seed].stage
        assert found is not None
        return found

    def reason(self, number: int) -> str | None:
        """Say why a stage was made for no seed, None where it was."""
        return None if self.seeds_of(number) else self.left(number)

    def left(self, number: int) -> str | None:
        """Say why a stage was not made for some of the seeds, None where it was for all."""
        if self.seeds_of(number) == self.seeds:
            return None
        said = (one.reason for s in self.seeds if (one := self.made.get((number, s))) is not None and one.reason)
        return next(said, "the run was stopped before it")


class Carrying:
    """Carries chains out. `work`: what steps may ask for, its seed and its places apart; `starts`: the student's weights by seed.

    `both`: for steps that learn, the same without the teacher is trained beside; `bytes_of`: the deployed bytes of a stage by number
    and seed, where they are known. Errors: Stopped where nothing was made.
    """

    def __init__(
        self,
        work: Work,
        store: StageStore,
        starts: Mapping[int, Mapping[str, Tensor]],
        *,
        both: bool,
        bytes_of: Callable[[int, int, Stage], int | None],
    ) -> None:
        self.work, self.store, self.starts, self.both, self.bytes_of = work, store, starts, both, bytes_of
        self._digests = {seed: digest_of(state) for seed, state in starts.items()}

    def carry_out(self, tree: Tree, seeds: Sequence[int]) -> Carried:
        """Make every stage for every seed, that of `work` first, as it is the one that is deployed; what an earlier attempt kept is taken as it is."""
        found = Carried(tree, list(seeds))
        of, done = self.units(tree, seeds), 0
        try:
            for seed in sorted(seeds, key=lambda seed: seed != self.work.seed):
                for node in tree.nodes:
                    made = found.made[node.number, seed] = self._one(found, node, seed, "taught")
                    done += 1
                    self._tell(tree, node, seed, made, "taught", done, of)
                    if self._taught_beside(node) and made.stage is not None:
                        again = found.again[node.number, seed] = self._one(found, node, seed, "again")
                        done += 1
                        self._tell(tree, node, seed, again, "again", done, of)
        except Stopped:
            found.stopped = True
            if not any(one.stage is not None for (number, _), one in found.made.items() if number):
                raise
        return found

    def on_trial(self, tree: Tree, seed: int, should_stop: Callable[[], bool]) -> Carried:
        """Make the stages for one seed, without the arm beside and without a word; what was made is found again. Errors: Stopped."""
        quiet = replace(self.work, notify=ignore, should_stop=should_stop)
        trial = Carrying(quiet, self.store, self.starts, both=False, bytes_of=lambda number, seed, stage: None)
        found = trial.carry_out(tree, [seed])
        if found.stopped:
            raise Stopped("Stopped before all stages were made.")
        return found

    def units(self, tree: Tree, seeds: Sequence[int]) -> int:
        """Count the stages to make, those without a teacher among them."""
        return len(seeds) * sum(1 + self._taught_beside(node) for node in tree.nodes)

    def _taught_beside(self, node: Node) -> bool:
        return self.both and node.step is not None and learns(node.step)

    def _one(self, found: Carried, node: Node, seed: int, side: Side) -> Made:
        stem = self.store.place(node.path, seed, self._digests[seed], side)
        if (kept := self.store.load(stem)) is not None:
            return kept
        if self.work.should_stop():
            raise Stopped("Stopped before all stages were made.")
        if node.step is None:
            with start_weights(0):
                module = build_for(self.work.dataset, self.store.arch)
            made = self._judged(Stage(self.store.arch, reshaped(module, self.starts[seed]).eval()), 0.0)
        else:
            assert node.parent is not None
            before = found.made[node.parent, seed]
            if before.stage is None:
                said = str(before.reason)
                return Made(None, reason=said if said.startswith(_NOT_REACHED) else f"{_NOT_REACHED}: {said}")
            made = self._step(node, before.stage, seed, side, stem)
        if made.stage is not None:  # what failed may work after a resume: a library was missing, a disk was full
            self.store.keep(stem, made)
        return made

    def _step(self, node: Node, before: Stage, seed: int, side: Side, stem: Path) -> Made:
        """Carry out one step; why it can't be done on this network stands in place of a stage."""
        assert node.step is not None
        entry, start = STEPS.get(node.step.name), time.monotonic()
        if reason := entry.facts["suits"](before, self.work.rows(before).spec):
            return Made(None, reason=f"the student {reason}")

        def tell(event: dict[str, Any]) -> None:
            arm = "student" if side == "taught" else "baseline"
            named = {"arm": arm, "student": node.name, "seed": seed, "fold": None} if event["kind"] == "epoch" else {}
            self.work.notify({**event, **named})

        place = self.work.checkpoint and self.work.checkpoint / stem.name
        work = replace(self.work, seed=seed, notify=tell, checkpoint=place)
        work = work if side == "taught" else replace(work, objective=None, answers=None)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                stage = entry.make(entry.spec.parse(node.step.settings, f"step {entry.name}"), before, work)
            return self._judged(self._rounded(before, stage), time.monotonic() - start)
        except KDError as error:
            return Made(None, time.monotonic() - start, None, error.message.rstrip("."))
        except RUNTIME_ERRORS as error:
            said = str(error).splitlines()[0][:300]
            return Made(None, time.monotonic() - start, None, f"ONNX Runtime can't run the file: {said}")

    def _rounded(self, before: Stage, stage: Stage) -> Stage:
        """Round what was learned to what the file holds, as the weights of every student are."""
        if stage.file is not None or stage.module is before.module:
            return stage
        state = deployed_state(self.work.dataset, stage.arch, cpu_state(stage.module))
        module = stage.module.cpu().eval()
        module.load_state_dict(state)
        return replace(stage, module=module)

    def _judged(self, stage: Stage, seconds: float) -> Made:
        """Score a stage on validation rows."""
        z = logits(stage, self.work, "validation")
        if not np.isfinite(z).all():
            return Made(None, seconds, None, "its answers are not finite numbers")
        return Made(stage, seconds, assessment.score(self.work.dataset, "validation", z, self.work.metric))

    def _tell(self, tree: Tree, node: Node, seed: int, made: Made, side: Side, done: int, of: int) -> None:
        at = tree.chain_of(node.number)
        size = self.bytes_of(node.number, seed, made.stage) if made.stage is not None and side == "taught" else None
        self.work.notify(
            {
                "kind": "stage",
                "chain": at[0] if at else None,
                "stage": at[1] if at else None,
                "id": node.number,
                "name": node.name,
                "side": side,
                "seed": seed,
                "bytes": size,
                "score": made.validation,
                "seconds": round(made.seconds, 3),
                "reason": made.reason,
                "done": done,
                "of": of,
            }
        )
        self.work.notify({"kind": "part", "phase": "compress", "done": done, "of": of, "what": f"compress:{node.name}"})


def logits(stage: Stage, work: Work, split: Split) -> Array:
    """Answer the rows of a part, by the stage's file where a step changed that. Shape: (N, C)."""
    x = work.rows(stage).parts[split]
    if stage.file is None:
        return predict(stage.module, x, torch.device("cpu"))
    return answers_of(stage.file, x)
