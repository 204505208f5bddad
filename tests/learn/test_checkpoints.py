import os
import random
import zipfile

import numpy as np
import pytest
import torch

from mjsdk.errors import BrokenRun, StorageError
from mjsdk.learn.checkpoints import random_state, read_checkpoint, seed_everything, set_random_state, write_checkpoint
from mjsdk.learn.policy import load_policy


def damage(path):
    data = bytearray(path.read_bytes())
    for i in range(
        len(data) // 2, len(data) // 2 + 128
    ):  # more than the padding between the parts, which is not checked
        data[i] ^= 0xFF
    path.write_bytes(data)


@pytest.fixture
def run(lab):
    trainer = lab.start()
    trainer.learn(2)
    return trainer.run


def test_a_checkpoint_loads_without_running_code(run):
    data = torch.load(run.newest_checkpoint(), weights_only=True)
    assert data["iter"] == 2
    assert {"actor_state_dict", "critic_state_dict", "optimizer_state_dict", "infos"} < set(data)


@pytest.mark.parametrize(
    "spoil", [damage, lambda p: p.write_bytes(p.read_bytes()[:1000]), lambda p: p.write_bytes(b"")]
)
def test_a_damaged_checkpoint_is_named_with_the_newest_that_is_whole(run, spoil):
    spoil(run.newest_checkpoint())
    with pytest.raises(BrokenRun, match=r"model_2\.pt .*newest whole one is model_1\.pt: delete or move model_2\.pt"):
        read_checkpoint(run, run.newest_checkpoint())


def test_a_run_with_only_damaged_checkpoints_says_so(run):
    for path in run.checkpoints():
        damage(path)
    with pytest.raises(BrokenRun, match="No other checkpoint of this run is whole"):
        read_checkpoint(run, run.newest_checkpoint())


def test_a_file_of_another_program_is_not_taken_for_a_checkpoint(run):
    torch.save({"weights": torch.zeros(3)}, run.checkpoint_path(9))
    with pytest.raises(BrokenRun, match="not a checkpoint that mjsdk wrote: actor_state_dict is missing"):
        read_checkpoint(run, run.newest_checkpoint())


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("infos", None, "infos must be a mapping"),  # as rsl_rl's own runner writes them
        ("infos", {"format": "1"}, "infos.format"),
        (
            "infos",
            {"format": 1, "policy": []},
            r"infos\.policy must be a mapping, not a list; infos\.totals is missing",
        ),
        ("iter", -5, "iter must be a whole number from 0 .*, not -5"),
        ("iter", "abc", "iter must be .*, not 'abc'"),
        ("actor_state_dict", None, "actor_state_dict must be a mapping, not None"),
        ("critic_state_dict", {"0.weight": 3}, r"critic_state_dict\.0\.weight must be a dense tensor .*, not 3"),
    ],
)
def test_a_checkpoint_in_the_form_of_another_program_says_what_it_lacks(run, part, value, told):
    data = read_checkpoint(run, run.newest_checkpoint())
    torch.save({**data, part: value}, run.checkpoint_path(9))
    run.checkpoint_path(8).write_bytes(b"")
    with pytest.raises(
        BrokenRun, match=rf"not a checkpoint that mjsdk wrote: .*{told}.*newest whole one is model_2\.pt"
    ):
        read_checkpoint(run, run.newest_checkpoint())


class Code:
    def __reduce__(self):
        return (print, ("never",))


def test_a_file_that_holds_code_is_refused_without_advice_to_run_it(run, capsys):
    torch.save({"iter": Code()}, run.checkpoint_path(9))
    with pytest.raises(BrokenRun, match=r"holds code, or is not a checkpoint that mjsdk wrote\.") as caught:
        read_checkpoint(run, run.newest_checkpoint())
    assert "weights_only" not in str(caught.value)
    assert "never" not in capsys.readouterr().out


def test_weights_that_are_not_finite_are_refused_and_the_newest_that_are_named(run):
    data = read_checkpoint(run, run.newest_checkpoint())
    for tensor in data["actor_state_dict"].values():
        if tensor.is_floating_point():
            tensor.fill_(float("nan"))
    write_checkpoint(run.checkpoint_path(3), data)
    with pytest.raises(
        BrokenRun, match=r"model_3\.pt .*actor_state_dict are NaN or infinite.*newest whole one is model_2\.pt"
    ):
        read_checkpoint(run, run.newest_checkpoint())


def test_a_checkpoint_of_a_newer_format_is_refused(run):
    data = read_checkpoint(run, run.newest_checkpoint())
    data["infos"] = {"format": 99}  # whatever else it will hold
    write_checkpoint(run.checkpoint_path(3), data)
    with pytest.raises(BrokenRun, match="newer mjsdk"):
        read_checkpoint(run, run.newest_checkpoint())


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one_and_no_rest(run, monkeypatch):
    before = run.newest_checkpoint().read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match=r"cannot write .*model_2\.pt: No space left on device"):
        write_checkpoint(run.newest_checkpoint(), {"iter": 3})
    assert run.newest_checkpoint().read_bytes() == before
    assert not list(run.path.glob(".*"))


def draw():
    return torch.rand(2).tolist(), random.random(), np.random.rand(2).tolist(), np.random.randn()


def test_random_numbers_go_on_where_they_were():
    before = random_state()
    try:
        seed_everything(3)
        draw()
        state = random_state()
        numbers = draw()
        seed_everything(4)
        set_random_state(state)
        assert draw() == numbers
    finally:
        set_random_state(before)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda average: None,
        lambda average: {name: value for name, value in average.items() if "bias" not in name},
        lambda average: {name: value[:1] if value.ndim else value for name, value in average.items()},
        lambda average: dict.fromkeys(average, "abc"),
    ],
)
def test_a_mean_that_is_not_of_the_actor_is_refused(run, spoil):
    path = run.newest_checkpoint()
    data = read_checkpoint(run, path)
    data["average_state_dict"] = spoil(data["average_state_dict"])
    write_checkpoint(path, data)
    with pytest.raises(BrokenRun, match="average_state_dict.* must be|average_state_dict: it lacks"):
        load_policy(run)


def test_a_mean_that_is_not_finite_is_refused(run):
    path = run.newest_checkpoint()
    data = read_checkpoint(run, path)
    data["average_state_dict"]["mlp.0.bias"][0] = float("nan")
    write_checkpoint(path, data)
    with pytest.raises(BrokenRun, match="average_state_dict are NaN or infinite"):
        read_checkpoint(run, path)


def test_a_checkpoint_from_before_there_were_means_and_shapes_is_read(run):
    path = run.newest_checkpoint()
    data = read_checkpoint(run, path)
    del data["average_state_dict"], data["infos"]["shapes"], data["infos"]["policy"]["meaning"]
    data["infos"]["format"] = 1
    write_checkpoint(path, data)
    again = read_checkpoint(run, path)
    assert again["average_state_dict"].keys() == data["actor_state_dict"].keys()
    assert again["infos"]["shapes"]["pos"] == [8, 2]


def packed(path):
    """The same parts, compressed."""
    with zipfile.ZipFile(path) as archive:
        parts = [(part.filename, archive.read(part)) for part in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts:
            archive.writestr(name, content)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def endless(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def huge(path):
    os.truncate(path, 2**40)


def folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [packed, pipe, endless, huge, folder])
def test_files_that_swell_or_never_end_are_refused_unread(run, spoil):
    spoil(run.newest_checkpoint())
    with pytest.raises(BrokenRun, match=r"model_2\.pt .*newest whole one is model_1\.pt"):
        read_checkpoint(run, run.newest_checkpoint())
