from __future__ import annotations

import json

import pytest

from mjsdk.testing.worlds import TESTBOT, TESTTASK

WHAT = ("verify-physics", "--robot", TESTBOT, "--task", TESTTASK, "--states", 8, "--device", "cpu")


def test_people_get_a_table_and_a_verdict(mjsdk):
    code, out, err = mjsdk(*WHAT)
    assert code == 0
    assert "8 walking states" in " ".join(out.split())
    assert out.splitlines()[-1] == "agrees: all 8 states are within the tolerances."
    assert [line.split()[0] for line in out.splitlines() if line.startswith((" qpos", " contacts"))] == [
        "qpos",
        "contacts",
    ]
    assert "note: pgs (from preset cpu), which MuJoCo Warp does not have, is replaced: newton" in err


def test_json_holds_everything(mjsdk):
    code, out, _ = mjsdk(*WHAT, "--json", "--env.sim.solver", "newton", "--env.scene.collisions", "feet")
    data = json.loads(out)
    assert code == 0
    assert (data["verdict"], data["states"], data["device"], data["collisions"]) == ("agrees", 8, "cpu", "feet")
    assert {"name", "tolerance", "largest", "median", "beyond", "worst"} <= data["quantities"][0].keys()
    assert data["versions"].keys() >= {"mjsdk", "mujoco", "mujoco-warp", "warp-lang"}
    assert data["sizes"]["nconmax"] > 0
    assert data["sizes"]["njmax"] > 0
    assert data["solver"]["solver"] == "newton"


WILD = (*WHAT[:-4], "--kind", "wild", "--env.sim.solver", "newton", "--env.sim.ls-iterations", 1)


def test_what_differs_for_known_causes_only_is_no_failure(mjsdk):
    code, out, _ = mjsdk(*WILD, "--states", 16, "--env.sim.iterations", 1)
    assert code == 0
    assert "solver at its limit of iterations" in out
    assert out.splitlines()[-1].endswith("of 16 states differ, all of them with a known cause.")


def test_what_differs_without_a_known_cause_is_a_failure(mjsdk):
    """A line search of one step ends elsewhere in each physics, and so do iterations that stop early."""
    code, out, _ = mjsdk(*WILD, "--states", 40)
    assert code == 1
    assert "without a known cause (states " in out.splitlines()[-1]


@pytest.mark.parametrize("solver", ["pgs", "pgz"])
def test_a_solver_that_not_both_have_is_one_error(mjsdk, solver):
    code, out, err = mjsdk(*WHAT, "--env.sim.solver", solver)
    assert (code, out) == (2, "")
    assert "env.sim.solver" in err
    assert "newton" in err


@pytest.mark.parametrize("kind", ["walking", "wild"])
@pytest.mark.parametrize("seed", [-1, 2**31, 10**30])
def test_a_seed_that_no_generator_takes_is_one_error(mjsdk, kind, seed):
    code, out, err = mjsdk(*WHAT, "--kind", kind, "--seed", seed)
    assert (code, out) == (2, "")
    assert f"--seed: must be from 0 to {2**31 - 1}, not {seed}" in err
