"""Whole runs of a toy recipe."""

import json
import logging
import os
import signal

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import load_file

from braindino.errors import BadInput
from braindino.files import sha256
from braindino.pretrain.checkpoint import Checkpoints
from braindino.pretrain.masking import mask_ratios, random_mask
from braindino.pretrain.objective import Batch, total_loss
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.run import Run
from braindino.pretrain.train import pretrain
from braindino.reporting.curves import PANELS

CPU = torch.device("cpu")
TIMED = ("slices_per_second", "data_wait", "memory_mib")


def lines(folder):
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in entry.items() if k not in TIMED} for entry in entries]


def final_state(folder):
    (path,) = folder.glob("checkpoints/*/final.pt")
    return torch.load(path, weights_only=True)


def interrupt_at(monkeypatch, iteration, action):
    step = Run.step

    def interrupted(run, *args, **kwargs):
        if run.iteration + 1 == iteration:
            action()
        return step(run, *args, **kwargs)

    monkeypatch.setattr(Run, "step", interrupted)


@pytest.fixture
def whole(recipe, shards, tmp_path):
    """An uninterrupted run."""
    pretrain(recipe, shards, tmp_path / "whole", seed=1, device="cpu")
    return tmp_path / "whole"


def assert_equal_runs(ours, theirs):
    assert sha256(ours / "encoder.safetensors") == sha256(theirs / "encoder.safetensors")
    assert (ours / "encoder.json").read_bytes() == (theirs / "encoder.json").read_bytes()
    assert lines(ours) == lines(theirs)
    states = [final_state(folder) for folder in (ours, theirs)]
    for state in states:
        del state["metrics"]  # slices a second differ
    torch.testing.assert_close(*states, rtol=0, atol=0)


def test_a_run_leaves_its_outputs(whole, recipe):
    assert [entry["iteration"] for entry in lines(whole)] == [2, 4, 6]
    assert all(np.isfinite(list(entry.values())).all() for entry in lines(whole))
    assert [path.name for path in whole.glob("checkpoints/*/*")] == ["final.pt"]
    card = json.loads((whole / "encoder.json").read_text())
    assert card["data"] == {"datasets": ["a", "b"], "volumes": 3, "slices": 11}
    assert card["iterations"] == recipe.optimisation.iterations
    assert card["sha256"] == sha256(whole / "encoder.safetensors")


def test_the_encoder_is_the_teacher_in_timms_layout(whole):
    card = json.loads((whole / "encoder.json").read_text())
    weights = load_file(whole / "encoder.safetensors")
    timm.create_model(card["architecture"], num_classes=0, **card["arguments"]).load_state_dict(
        weights, strict=True
    )
    state = final_state(whole)
    for key, tensor in weights.items():
        assert torch.equal(tensor, state["teacher"][f"backbone.vit.{key}"])
    moved = [
        not torch.equal(state["student"][key], state["teacher"][key]) for key in state["student"]
    ]
    assert all(moved)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGINT"])
def test_a_signal_writes_a_checkpoint_and_the_run_goes_on_exactly(
    name, whole, recipe, shards, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4, lambda: os.kill(os.getpid(), getattr(signal, name)))
        with pytest.raises(Interrupted, match=f"{name} at iteration 4 of 6"):
            pretrain(recipe, shards, tmp_path / "parts", seed=1, device="cpu")
    (tmp_path / "parts" / "metrics.jsonl").unlink()  # as Snakemake does after a failure
    torch.manual_seed(99)
    pretrain(recipe, shards, tmp_path / "parts", seed=1, device="cpu", workers=3)
    assert_equal_runs(tmp_path / "parts", whole)


def test_a_crash_between_checkpoints_loses_nothing_before_them(
    whole, recipe, shards, tmp_path, monkeypatch
):
    def crash():
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        interrupt_at(patch, 6, crash)
        with pytest.raises(RuntimeError, match="power cut"):
            pretrain(recipe, shards, tmp_path / "parts", seed=1, device="cpu")
    assert [entry["iteration"] for entry in lines(tmp_path / "parts")] == [2, 4]
    pretrain(recipe, shards, tmp_path / "parts", seed=1, device="cpu")
    assert_equal_runs(tmp_path / "parts", whole)


@pytest.mark.parametrize("damage", ["truncated", "overwritten"])
def test_a_damaged_newest_checkpoint_falls_back(
    damage, whole, recipe, shards, tmp_path, monkeypatch, caplog
):
    folder = tmp_path / "parts"
    with monkeypatch.context() as patch:
        interrupt_at(patch, 4, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Interrupted):
            pretrain(recipe, shards, folder, seed=1, device="cpu")
    newest = max(folder.glob("checkpoints/*/*.pt"))
    content = bytearray(newest.read_bytes())
    middle = len(content) // 2
    if damage == "truncated":
        del content[middle:]
    else:
        content[middle : middle + 256] = bytes(256)
    newest.write_bytes(content)
    with caplog.at_level(logging.INFO):
        pretrain(recipe, shards, folder, seed=1, device="cpu")
    assert "iteration_000000004.pt is damaged" in caplog.text
    assert "resuming at iteration 3" in caplog.text
    assert_equal_runs(folder, whole)


def test_the_newest_checkpoints_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for iteration in (9, 100, 20):
        checkpoints.save({"iteration": iteration})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "iteration_000000020.pt",
        "iteration_000000100.pt",
    ]
    assert checkpoints.load_newest() == {"iteration": 100}


def test_a_finished_run_is_computed_again(whole, recipe, shards, caplog):
    expected = (whole / "encoder.safetensors").read_bytes()
    with caplog.at_level(logging.INFO):
        pretrain(recipe, shards, whole, seed=1, device="cpu")
    assert "from random weights" in caplog.text
    assert (whole / "encoder.safetensors").read_bytes() == expected


def test_another_protocol_starts_anew_and_keeps_the_old_checkpoints(whole, recipe, shards):
    changed = recipe.model_copy(
        update={"objective": recipe.objective.model_copy(update={"momentum": 0.9})}
    )
    pretrain(changed, shards, whole, seed=1, device="cpu")
    assert len(list((whole / "checkpoints").iterdir())) == 2


def test_too_few_slices(recipe, shards, tmp_path):
    with pytest.raises(BadInput, match=r"toy: the shards hold 0 slices, fewer than one batch"):
        pretrain(recipe, shards[1:2], tmp_path, device="cpu")


def test_a_loss_that_is_never_finite_ends_the_run_and_names_the_slices(recipe, shards, tmp_path):
    for path in shards[::2]:
        np.save(path, np.full_like(np.load(path), np.nan))
    with pytest.raises(
        FloatingPointError, match="not finite in the last 4 steps, up to iteration 4"
    ):
        pretrain(recipe, shards, tmp_path / "out", device="cpu")
    listed = json.loads((tmp_path / "out" / "nonfinite.json").read_text())
    assert [step["iteration"] for step in listed] == [1, 2, 3, 4]
    assert all(len(step["slices"]) == 4 for step in listed)
    assert {s["volume_id"] for step in listed for s in step["slices"]} <= {
        "a/sub-0/-/T1w",
        "a/sub-1/-/T1w",
        "b/sub-0/-/T1w",
    }


def test_a_start_that_is_missing_or_for_nothing_is_said(recipe, shards, tmp_path):
    second = recipe.model_copy(update={"continues": "toy"})
    with pytest.raises(BadInput, match=r"continues toy, .* teacher_checkpoint\.pth: name the file"):
        pretrain(second, shards, tmp_path, device="cpu")
    with pytest.raises(BadInput, match=r"starts from random weights, and x\.pth was given"):
        pretrain(recipe, shards, tmp_path, device="cpu", init="x.pth")


def test_every_panel_of_the_curves_finds_its_metric(whole):
    lines = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    journalled = {key for line in lines for key in line}
    asked = {key for keys in PANELS.values() for key in keys if not key.startswith("knn_")}
    assert asked <= journalled


@pytest.mark.parametrize("centring", ["sinkhorn_knopp", "mean"])
def test_one_bad_batch_moves_no_weight_and_the_run_goes_on(recipe, centring):
    objective = recipe.objective.model_copy(update={"centring": centring})
    recipe = recipe.model_copy(update={"objective": objective})
    run, batch = Run(recipe, 0, CPU), batch_of(recipe)
    run.step([batch])
    before = {key: value.clone() for key, value in run.student.state_dict().items()}
    bad = Batch(batch.global_crops * torch.inf, batch.local_crops, batch.masks)
    assert run.step([bad])["skipped"] == 1
    torch.testing.assert_close(dict(run.student.state_dict()), before, rtol=0, atol=0)
    assert run.step([batch])["skipped"] == 0
    assert run.iteration == 3
    assert all(value.isfinite().all() for value in run.student.state_dict().values())
    assert all(centre.isfinite().all() for centre in run.centring.centres.values())


def batch_of(recipe, size=4, seed=0):
    rng, draws = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    masks = [
        random_mask((3, 3), share, draws) for share in mask_ratios(2 * size, 0.5, (0.1, 0.5), draws)
    ]
    return Batch(
        torch.randn(2 * size, 1, 48, 48, generator=rng),
        torch.randn(recipe.views.local_crops * size, 1, 32, 32, generator=rng),
        torch.from_numpy(np.stack(masks)),
    )


def part_of(batch, start, stop):
    """The views of some slices of a batch."""

    def cut(views):
        return views.unflatten(0, (-1, len(batch.global_crops) // 2))[:, start:stop].flatten(0, 1)

    return Batch(*map(cut, (batch.global_crops, batch.local_crops, batch.masks)))


def test_terms_are_weighed(recipe):
    terms = {"dino": 1.0, "ibot": 100.0, "koleo": 1000.0}
    assert total_loss(terms, recipe.objective) == pytest.approx(1 + 100 + 0.1 * 1000)


def test_the_teacher_sees_whole_crops_and_gets_no_gradient(recipe):
    run, batch = Run(recipe, 0, CPU), batch_of(recipe)
    with torch.no_grad():
        whole, patches = run.teacher.backbone(batch.global_crops)
    seen = run.teacher.watch(batch.global_crops, batch.masks)
    torch.testing.assert_close(seen.tokens, whole)
    masked = patches[batch.masks.flatten(1)]
    torch.testing.assert_close(seen.masked_heads, run.teacher.ibot_head(masked))
    run.step([batch])
    assert all(p.grad is None for p in run.teacher.parameters())
    assert all(p.grad is not None for p in run.student.parameters())
    assert run.student.backbone.mask_token.grad.abs().sum() > 0


def changed(recipe, **parts):
    """A recipe with some values of its parts changed."""
    return recipe.model_copy(
        update={name: getattr(recipe, name).model_copy(update=v) for name, v in parts.items()}
    )


@pytest.fixture
def exact(recipe):
    """The recipe in float32, without random draws inside the step."""
    model = {"drop_path": 0.0, "rope_rescale": 1.0}
    return changed(recipe, model=model, optimisation={"precision": "float32"})


@pytest.mark.parametrize("centring", ["sinkhorn_knopp", "mean"])
def test_parts_add_up_to_the_whole_batch(centring, exact):
    exact = changed(exact, objective={"centring": centring, "koleo_group": 2})
    batch = batch_of(exact)
    whole, parts = Run(exact, 0, CPU), Run(exact, 0, CPU)
    halves = [part_of(batch, 0, 2), part_of(batch, 2, 4)]
    assert whole.step([batch]) == pytest.approx(parts.step(halves), rel=1e-4)
    gradients = [[p.grad for p in run.student.parameters()] for run in (whole, parts)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-5)
    for _ in range(2):
        assert whole.step([batch])["loss"] == pytest.approx(parts.step(halves)["loss"], rel=1e-4)


def test_recomputed_blocks_give_the_same_gradients(recipe):
    batch = batch_of(recipe)
    runs = [Run(recipe.model_copy(update={"recompute": r}), 0, CPU) for r in (False, True)]
    losses = [run.step([batch])["loss"] for run in runs]
    assert losses[0] == losses[1]
    gradients = [[p.grad for p in run.student.parameters()] for run in runs]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_the_next_stage_starts_from_the_teacher_with_its_heads(whole, recipe, shards, tmp_path):
    second = changed(
        recipe,
        views={
            "upsampled_size": 96,
            "global_sizes": [64, 80],
            "local_sizes": [32, 48],
            "size_ratios": [0.5, 0.5],
        },
    ).model_copy(update={"name": "second", "continues": "toy"})
    checkpoint = whole / "teacher_checkpoint.pth"
    run = Run(second, 1, CPU, checkpoint)
    teacher = final_state(whole)["teacher"]
    for network in (run.student, run.teacher):
        torch.testing.assert_close(dict(network.state_dict()), dict(teacher), rtol=0, atol=0)
    card = pretrain(second, shards, tmp_path / "2", seed=1, device="cpu", init=checkpoint)
    assert "recipe toy's weights" in card["licence"]
    assert np.isfinite([entry["loss"] for entry in lines(tmp_path / "2")]).all()


def test_only_a_whole_checkpoint_can_be_continued(whole, recipe):
    second = recipe.model_copy(update={"continues": "toy"})
    with pytest.raises(BadInput, match=r"holds no 'teacher'; give the teacher_checkpoint\.pth"):
        Run(second, 1, CPU, whole / "encoder.safetensors")


def test_repeated_steps_on_one_batch_lower_the_loss(recipe):
    lively = recipe.model.model_copy(
        update={"arguments": recipe.model.arguments | {"init_values": 1.0}, "drop_path": 0.0}
    )
    fixed = recipe.objective.model_copy(
        update={"teacher_temperature": (0.005, 0.005), "momentum": 0.9999, "koleo_weight": 0.0}
    )
    fast = recipe.optimisation.model_copy(update={"learning_rate": 5e-3, "layer_decay": 1.0})
    run = Run(
        recipe.model_copy(update={"model": lively, "objective": fixed, "optimisation": fast}),
        0,
        CPU,
    )
    batch = batch_of(recipe)
    losses = []
    for _ in range(25):
        run.iteration = 2  # past the warm-up: one learning rate, one set of masks
        losses.append(run.step([batch])["loss"])
    assert losses[-1] < 0.95 * losses[0]
