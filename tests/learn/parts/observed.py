"""`mjsdk`, and what each process has at the end of a training, for tests: `observed.py FOLDER train ...`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from mjsdk.cli import main
from mjsdk.learn.trainer import Trainer
from mjsdk.runtime import network_threads

FOLDER, RANK = Path(sys.argv[1]), os.environ["RANK"]
logs: list[dict[str, float]] = []
learn, values = Trainer.learn, Trainer._values


def observed(self, *args, **options):
    (FOLDER / f"{RANK}.pid").write_text(str(os.getpid()))
    reason = learn(self, *args, **options)
    state = self.algorithm.save() | {"average_state_dict": self._average.state_dict(), "own": self._own_state()}
    state |= {"learning_rate": self.algorithm.learning_rate, "logs": logs}
    state["threads"] = self.env.physics.threads, network_threads(self.env.device)
    torch.save(state, FOLDER / f"{RANK}.pt")
    return reason


def logged(self, losses):
    logs.append(values(self, losses))
    return logs[-1]


Trainer.learn, Trainer._values = observed, logged
main(sys.argv[2:])
