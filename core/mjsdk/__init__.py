"""Plugin-based robot and task SDK for reinforcement learning in MuJoCo.

    import mjsdk

    robot = mjsdk.load_robot("robot")                # facts; robot.spec(), robot.compile()
    config = mjsdk.compose("robot", "task", {"env.scene.num_envs": 64})
    env = mjsdk.make_env(config)                     # reset(), step(actions)
    policy = mjsdk.load_run("latest").policy()       # policy(observations) -> actions

Names are looked up on first use: `import mjsdk` loads neither torch nor mujoco.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mjsdk.api import compose as compose
    from mjsdk.api import load_robot as load_robot
    from mjsdk.api import load_run as load_run
    from mjsdk.api import make_env as make_env
    from mjsdk.errors import MjsdkError as MjsdkError
    from mjsdk.hookspecs import hookimpl as hookimpl

__version__ = "0.1.0"

__all__ = ["MjsdkError", "__version__", "compose", "hookimpl", "load_robot", "load_run", "make_env"]

_HOMES = {
    "MjsdkError": "mjsdk.errors",
    "compose": "mjsdk.api",
    "hookimpl": "mjsdk.hookspecs",
    "load_robot": "mjsdk.api",
    "load_run": "mjsdk.api",
    "make_env": "mjsdk.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mjsdk' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
