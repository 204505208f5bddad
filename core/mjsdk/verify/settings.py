"""Settings with which both physics solve the same problem in the same way."""

from __future__ import annotations

from functools import reduce

from mjsdk.config import presets
from mjsdk.config.root import Config
from mjsdk.config.settings import Composed
from mjsdk.errors import Mistake, refuse

_SOLVER = "env.sim.solver"
_ONE_SIDED = "pgs"
"""The solver that native MuJoCo has and MuJoCo Warp has not."""


def with_equal_solver(composed: Composed) -> tuple[Config, str]:
    """The configuration with a solver that both physics have, and a sentence if that is not the composed one.

    A preset's PGS is replaced, with the step and iterations that go with it; who asks for it gets a `ConfigError`.
    """
    config, origins = composed.config, composed.origins
    if config.env.sim.solver != _ONE_SIDED:
        return config, ""
    origin = origins.get(_SOLVER, "")
    if origin == "flag":
        what = f"MuJoCo Warp has no {_ONE_SIDED}, and both physics must have the same solver. Legal here: newton, cg"
        refuse([Mistake(_SOLVER, f"{what}. Leave it out for newton")])
    for path, value in presets.TIGHT.items():
        if origins.get(path) != "flag":
            *parents, name = path.split(".")
            setattr(reduce(getattr, parents, config), name, value)
    sim = config.env.sim
    return config, (
        f"{_ONE_SIDED} (from {origin}), which MuJoCo Warp does not have, is replaced: {sim.solver}, {sim.iterations} "
        f"iterations, {sim.ls_iterations} of the line search, {sim.timestep * 1e3:g} ms steps"
    )
