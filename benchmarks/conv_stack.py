"""Would a stack of small convolutional networks pay? A step of so many one by one, over one step of grouped convolutions, in processor time.

A stack's filters would stand side by side as groups of one convolution, channels of all networks in one tensor. Run: python benchmarks/conv_stack.py
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

ROWS, CLASSES = 128, 10
PIXELS, TEXTS = "cnn", "textcnn"


class Pictures(nn.Module):
    """The small CNN: 3 x 3 convolutions of 16 and 32 filters, halved in between, as so many groups."""

    def __init__(self, students: int) -> None:
        super().__init__()
        self.students, widths = students, (16, 32, 64)
        bands, stages = 3, []
        for filters in widths:
            made = nn.Conv2d(students * bands, students * filters, 3, padding=1, groups=students, bias=False)
            stages += [made, nn.MaxPool2d(2), nn.BatchNorm2d(students * filters), nn.ReLU()]
            bands = filters
        self.stages, self.heads = nn.Sequential(*stages), nn.Parameter(torch.randn(students, bands, CLASSES) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        found = self.stages(x.repeat(1, self.students, 1, 1)).mean(dim=(2, 3))
        return torch.bmm(found.view(len(x), self.students, -1).transpose(0, 1), self.heads)


class Texts(nn.Module):
    """The small TextCNN: vectors of 32 numbers, windows of 3, 4 and 5 with 32 filters each, as so many groups."""

    def __init__(self, students: int) -> None:
        super().__init__()
        self.students = students
        self.vectors = nn.Embedding(4000, 32 * students)
        self.windows = nn.ModuleList(nn.Conv1d(32 * students, 32 * students, n, groups=students) for n in (3, 4, 5))
        self.heads = nn.Parameter(torch.randn(students, 96, CLASSES) * 0.1)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.vectors(x).transpose(1, 2)
        most = [torch.relu(w(seen)).amax(dim=2).view(len(x), self.students, 32) for w in self.windows]
        return torch.bmm(torch.cat(most, dim=2).transpose(0, 1), self.heads)


def step_seconds(kind: str, students: int, rounds: int) -> float:
    """Time steps of so many networks as groups of one: the least of five rounds. Units: seconds of processor time."""
    made: nn.Module = Pictures(students) if kind == PIXELS else Texts(students)
    if students == 1 and kind == PIXELS:
        made = made.to(memory_format=torch.channels_last)  # as the network alone is trained
    x = torch.rand(ROWS, 3, 32, 32) if kind == PIXELS else torch.randint(0, 4000, (ROWS, 40))
    labels = torch.randint(0, CLASSES, (ROWS,)).repeat(students)
    optimiser = torch.optim.AdamW(made.parameters(), lr=2e-3, fused=True)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(made(x).reshape(-1, CLASSES), labels).backward()
        optimiser.step()

    return least_seconds(step, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=8)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    for kind in (PIXELS, TEXTS):
        alone = step_seconds(kind, 1, rounds)
        for students in (2, 8):
            together = step_seconds(kind, students, max(1, rounds // students))
            print(
                f"{kind} small: one {1e3 * alone:.1f} ms; {students} together {1e3 * together:.1f} ms: "
                f"{students * alone / together:.2f} times as fast as one by one"
            )


if __name__ == "__main__":
    main()
