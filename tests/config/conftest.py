from __future__ import annotations

from pathlib import Path

import pytest

from mjsdk.mdp import core_terms
from mjsdk.plugins import Session, open_session
from mjsdk.terms import TermRegistry

PARTS = Path(__file__).parent / "parts"


@pytest.fixture
def parts() -> Path:
    """Folder of a robot `stick.py`, a task `stand.py` and an extra `my_extra.py`."""
    return PARTS


@pytest.fixture(scope="session")
def session() -> Session:
    return open_session(str(PARTS / "stick.py"), str(PARTS / "stand.py"), [str(PARTS / "my_extra.py")], core=core_terms)


@pytest.fixture(scope="session")
def terms(session: Session) -> TermRegistry:
    return session.terms()
