from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from mjsdk.cli import main

PARTS = Path(__file__).parents[1] / "evaluate" / "parts"


class Output(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def mjsdk(capsys):
    """Runs the command line: exit code and what it printed."""

    def call(*args: object) -> Output:
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        return Output(caught.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def glider(tmp_path_factory) -> Path:
    """A log root with one run of the glider, not trained yet, and two iterations' worth of metrics."""
    from mjsdk.config.settings import compose
    from mjsdk.learn.start import start
    from mjsdk.mdp import core_terms
    from mjsdk.plugins import open_session

    session = open_session(str(PARTS / "glider.py"), str(PARTS / "glide.py"), core=core_terms)
    log_root = tmp_path_factory.mktemp("logs")
    composed = compose(session, overrides=[("train.log_root", str(log_root)), ("env.scene.num_envs", 4)])
    run = start(composed.config, session).trainer.run
    lines = '{"iteration": 1, "timesteps": 32, "train/mean_reward": 1.5, "time/total_s": 2.0}\n' * 2
    (run.path / "metrics.jsonl").write_text(lines)
    return log_root
