"""Named sets of settings: `--preset NAME`, or several joined by commas, applied in that order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mjsdk.errors import Mistake, closest, listing, refuse
from mjsdk.robot import Robot

Preset = Mapping[str, Any]
"""Values by dotted path."""

# Contacts dominate the cost of a step. Few solver iterations and long steps are several times cheaper, and policies that
# learn so hold up under the faithful settings. The control rate stays 50 Hz either way.
CHEAP: Preset = {
    "env.decimation": 2,
    "env.sim.timestep": 0.01,
    "env.scene.collisions": "lean",
}

# The cheapest solver that each physics has. Warp has no PGS, and its steps take as many iterations as the slowest world.
# In steps of 10 ms, from a warm start, Newton has converged after 6 iterations in 89 % of the states of a humanoid that sways
# and falls, after 4 in 41 %; speeds are off by up to 0.9 and 20 rad/s in the others (PGS: 0.6 rad/s). For a quadruped
# it is 99 % and 67 %. More than 8 iterations of the line search change nothing.
FAST: Mapping[str, Preset] = {
    "cpu": {**CHEAP, "env.sim.solver": "pgs", "env.sim.iterations": 8},
    "warp": {**CHEAP, "env.sim.solver": "newton", "env.sim.iterations": 6, "env.sim.ls_iterations": 8},
}
"""By physics."""

TIGHT: Preset = {
    "env.decimation": 4,
    "env.sim.timestep": 0.005,
    "env.sim.solver": "newton",
    "env.sim.iterations": 10,
    "env.sim.ls_iterations": 20,
}

FAITHFUL: Preset = {**TIGHT, "env.scene.collisions": "full"}

# A few cores: learning costs as much as physics, so the networks are small. Few worlds make the estimate of the divergence
# noisy, and an adaptive rate that follows it sinks to nothing: the rate is fixed. Little noise keeps early episodes long.
CPU: Preset = {
    "env.scene.num_envs": 512,
    "agent.actor.hidden_dims": [128, 128],
    "agent.critic.hidden_dims": [128, 128],
    "agent.actor.init_noise_std": 0.5,
    "agent.algorithm.schedule": "fixed",
    "agent.algorithm.learning_rate": 1e-3,
    "agent.algorithm.entropy_coef": 0.001,
}

# A GPU steps thousands of worlds at the price of one: the field's usual numbers.
GPU: Preset = {
    "env.scene.num_envs": 4096,
    "agent.actor.hidden_dims": [512, 256, 128],
    "agent.critic.hidden_dims": [512, 256, 128],
    "agent.actor.init_noise_std": 1.0,
    "agent.algorithm.schedule": "adaptive",
    "agent.algorithm.learning_rate": 1e-3,
    "agent.algorithm.entropy_coef": 0.01,
}

# For a training whose reward rises and collapses. Each update goes a shorter way, on more samples, and stops at less
# provocation; it takes perhaps twice as long to get as far.
STABLE: Preset = {
    "agent.algorithm.learning_rate": 3e-4,  # a third of the usual step
    "agent.algorithm.schedule": "fixed",  # a noisy divergence cannot drive the rate up
    "agent.algorithm.clip_param": 0.1,  # half of the usual trust region
    "agent.algorithm.desired_kl": 0.005,  # likewise, should the schedule be set to adaptive
    "agent.algorithm.max_grad_norm": 0.5,  # a bad batch moves the network half as far
    "agent.algorithm.num_learning_epochs": 4,  # less overfitting of one rollout
    "agent.algorithm.num_mini_batches": 2,  # mini-batches twice as large: gradients with less noise
    "agent.algorithm.entropy_coef": 0.005,  # enough to keep exploring, not enough to blow up the noise
    "agent.actor.noise_std_type": "log",  # the noise cannot become negative
    "agent.num_steps_per_env": 32,  # advantages lean less on a critic that is still wrong
}

PRESETS: Mapping[str, Mapping[str, Preset]] = {
    physics: {
        "cpu": {**fast, **CPU},
        "gpu": {**fast, **GPU},
        "stable": STABLE,
        "fast": fast,
        "faithful": FAITHFUL,
    }
    for physics, fast in FAST.items()
}
"""All presets by the physics that they are for, and by name."""

NAMES = tuple(PRESETS["cpu"])
"""Names of all presets."""

MEANINGS: Mapping[str, str] = {
    "cpu": "a few CPU cores: few worlds, small networks, cheap physics (chosen by --device cpu)",
    "gpu": "one GPU: thousands of worlds, wide networks, cheap physics (chosen by --device cuda)",
    "stable": "a conservative PPO, for when training is unstable",
    "fast": "cheap physics: lean collisions, 10 ms steps, 8 iterations of PGS (cpu) or 6 of Newton (warp)",
    "faithful": "exact physics: full collisions, Newton solver, 5 ms steps",
}
"""What each preset is for."""


def chosen(given: str | None, device: str, task_presets: Mapping[str, Preset]) -> tuple[str, ...]:
    """Names of the presets to apply: those asked for, after the one that suits the device, if any, unless one is named."""
    names = [name.strip() for name in given.split(",")] if given else []
    legal = [*NAMES, *(name for name in task_presets if name not in NAMES)]
    more = f" Legal: {listing(legal)}, or several joined by commas"
    wrong = [
        f"no preset '{name}'{closest(name, legal) or '.'}" if name else f"an empty name in '{given}'."
        for name in names
        if name not in legal
    ]
    refuse([Mistake("preset", what + more) for what in wrong])
    if device and not {"cpu", "gpu"}.intersection(names):
        names.insert(0, "gpu" if device.startswith("cuda") else "cpu")
    return tuple(dict.fromkeys(names))


def numbers(name: str, robot: Robot, task_presets: Mapping[str, Preset], physics: str) -> dict[str, Any]:
    """Values of a preset for a physics by dotted path, as plain data: the general ones, then the task's own."""
    from mjsdk.config.convert import to_plain  # here: `mjsdk explain` must not import cattrs

    values = {**PRESETS[physics].get(name, {}), **task_presets.get(name, {})}
    collisions = values.get("env.scene.collisions", "")
    if collisions not in ("", *robot.collisions):
        del values["env.scene.collisions"]  # this robot does not know it: what was chosen stays
    return dict(to_plain(values))
