"""Would a stack of bags pay? A step of so many bags one by one, over one step of a bag as many times as wide, in processor time.

A stack's vectors would stand side by side, so that each piece is looked up once for all of them. Run: python benchmarks/bag_stack.py
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.step_time import least_seconds

ROWS, PIECES, CLASSES = 128, 80, 77
SHAPES = {"small": (4000, 32), "base": (7000, 64)}


def step_seconds(terms: int, width: int, students: int, rounds: int) -> float:
    """Time steps of one set of vectors with so many heads: the least of five rounds. Units: seconds of processor time."""
    vectors = nn.Parameter(torch.randn(terms + 1, width * students) * 0.1)
    heads = nn.Parameter(torch.randn(students, width, CLASSES) * 0.1)
    optimiser = torch.optim.AdamW([vectors, heads], lr=2e-3, fused=True)
    numbers = torch.randint(0, terms, (ROWS * PIECES,))
    starts, weights = torch.arange(0, ROWS * PIECES, PIECES), torch.rand(ROWS * PIECES)
    labels = torch.randint(0, CLASSES, (ROWS,)).repeat(students)

    def step() -> None:
        optimiser.zero_grad()
        added: Tensor = functional.embedding_bag(numbers, vectors, starts, mode="sum", per_sample_weights=weights)
        z = torch.bmm(added.view(ROWS, students, width).transpose(0, 1), heads)
        functional.cross_entropy(z.reshape(-1, CLASSES), labels).backward()
        optimiser.step()

    return least_seconds(step, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for name, (terms, width) in SHAPES.items():
        alone = step_seconds(terms, width, 1, rounds)
        for students in (2, 8, 32):
            together = step_seconds(terms, width, students, max(2, rounds // students))
            print(
                f"{name}: one {1e3 * alone:.2f} ms; {students} together {1e3 * together:.2f} ms: "
                f"{students * alone / together:.2f} times as fast as one by one"
            )


if __name__ == "__main__":
    main()
