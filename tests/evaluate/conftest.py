from __future__ import annotations

from pathlib import Path

import pytest

from mjsdk.runs import Run

PARTS = Path(__file__).parent / "parts"


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Run:
    """A run of the glider, not trained yet."""
    from mjsdk.config.settings import compose
    from mjsdk.learn.start import start
    from mjsdk.mdp import core_terms
    from mjsdk.plugins import open_session

    session = open_session(str(PARTS / "glider.py"), str(PARTS / "glide.py"), core=core_terms)
    overrides = [("train.log_root", str(tmp_path_factory.mktemp("logs"))), ("env.scene.num_envs", 4)]
    return start(compose(session, overrides=overrides).config, session).trainer.run
