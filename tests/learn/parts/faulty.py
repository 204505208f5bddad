"""An extra with a reward that fails in the process of rank 1, in its fortieth step."""

from __future__ import annotations

import os

import torch

import mjsdk

MJSDK_API = 1


@mjsdk.hookimpl
def mjsdk_reward_terms():
    return {"faulty": faulty}


def faulty(env):
    """Nothing, for a while."""
    if env.common_step_counter >= 40 and os.environ["RANK"] == "1":
        raise ValueError("no more")
    return torch.zeros(env.num_envs)
