from __future__ import annotations

import json

from .conftest import PARTS

WHAT = ("--robot", PARTS / "glider.py", "--task", PARTS / "glide.py", "--num-envs", 4, "--blocks", 3, "--steps", 5)


def test_json_holds_speeds_and_overhead(mjsdk):
    code, out, _ = mjsdk("bench", *WHAT, "--json", "--env.sim.threads", 1)
    data = json.loads(out)
    assert code == 0
    assert (data["num_envs"], data["threads"], data["physics"]) == (4, 1, "cpu")
    assert data["overhead"] > 1.0
    assert data["physics_env_steps_per_s"] > data["env_steps_per_s"] > 0
    assert sorted(data["blocks"])[1] == data["overhead"]


def test_people_get_a_table(mjsdk):
    code, out, _ = mjsdk("bench", *WHAT)
    assert code == 0
    assert "physics alone" in out
    assert "median of 3 blocks" in out
    assert "times as long as its physics alone." in out


def test_counts_below_one_are_reported_with_their_values(mjsdk):
    code, _, err = mjsdk("bench", *WHAT[:4], "--blocks", 0, "--steps", -1)
    assert code == 2
    assert "--blocks: must be at least 1, not 0" in err
    assert "--steps: must be at least 1, not -1" in err
    assert "--blocks: must be at most 10000, not 1000000000000" in mjsdk("bench", *WHAT[:4], "--blocks", 10**12).err


def test_a_misspelt_setting_is_one_message(mjsdk):
    code, _, err = mjsdk("bench", *WHAT, "--env.sim.treads", 1)
    assert code == 2
    assert "env.sim.treads" in err
    assert "threads" in err
