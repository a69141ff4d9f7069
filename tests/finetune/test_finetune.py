"""Fine-tuning of a tiny network on a few small volumes."""

import json

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_file

from braindino.errors import BadInput
from braindino.files import write_table
from braindino.finetune.finetune import finetune
from braindino.finetune.job import finetune_files
from braindino.finetune.network import VolumeNetwork, parameter_groups
from braindino.finetune.train import Finetuning
from braindino.pretrain.launch import launch
from braindino.settings.finetune import Finetune
from braindino.settings.imaging import Imaging
from braindino.settings.probes import Probes

CPU = torch.device("cpu")
ARGUMENTS = {"embed_dim": 24, "depth": 2, "num_heads": 2, "img_size": 32, "num_classes": 0}
TUNED = Finetune(learning_rate=1e-3, ratios=[1.0])
PROTOCOL = Probes(hidden=8, epochs=8, patience=8, learning_rate=1e-2)


def make():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return timm.create_model("vit_small_patch16_dinov3", **ARGUMENTS, init_values=1.0)


def load(volume_id):
    """Two slices of noise; those of the second class have a bright half."""
    number = int(volume_id[-2:])
    slices = torch.randn(2, 32, 32, generator=torch.Generator().manual_seed(number))
    slices[:, :16] += 4 * (number % 2)
    return slices


@pytest.fixture
def card(task_card):
    return task_card(name="dx", kind="classification", target="dx", classes=["a", "b"], unit="")


@pytest.fixture
def table():
    ids = [f"lab/{n:02d}" for n in range(24)]
    return pd.DataFrame(
        {
            **{"task": "dx", "subject": ids, "session": "1", "volume_id": ids, "dataset": "lab"},
            **{"modality": "T1w", "target": [n % 2 for n in range(24)], "fold": 0},
            "split": ["train"] * 16 + ["test"] * 8,
        }
    )


@pytest.fixture
def run(card, table, tmp_path):
    subsets = pd.DataFrame({"ratio": 1.0, "seed": 0, "fold": 0, "subject": table["subject"][:16]})

    def go(protocol=PROTOCOL, folder="made"):
        settings = TUNED, protocol
        return finetune(
            card, "braindino", make, load, table, subsets, settings, tmp_path / folder, 3, 0, CPU
        )

    return go


def test_the_encoder_learns_with_the_head(run, table, tmp_path):
    predictions = run()
    assert set(predictions["encoder"]) == {"braindino_full_ft"}
    assert list(predictions["volume_id"]) == list(table["volume_id"][16:])
    assert (predictions["score_1"].round() == predictions["target"]).mean() > 0.8
    state = torch.load(tmp_path / "made" / "1.0-0.pt", weights_only=True)
    before = make().state_dict()
    name = "blocks.0.mlp.fc1.weight"
    assert not torch.equal(state["network"][f"encoder.{name}"], before[name])


def test_an_interrupted_run_ends_as_one_that_was_not(run, tmp_path):
    whole = run()
    run(PROTOCOL.model_copy(update={"epochs": 2}), "stopped")
    pd.testing.assert_frame_equal(run(folder="stopped"), whole)


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(run):
    fresh = run()
    run(PROTOCOL.model_copy(update={"learning_rate": 0.0}), "other")
    pd.testing.assert_frame_equal(run(folder="other"), fresh)


def test_shuffled_labels_are_what_the_networks_learn(run, table, monkeypatch):
    seen = []
    fit = Finetuning.fit

    def watched(network, draw, *rest):
        seen.append(draw)
        fit(network, draw, *rest)

    monkeypatch.setattr(Finetuning, "fit", watched)
    run(PROTOCOL.model_copy(update={"shuffle_labels": True, "epochs": 1}), "shuffled")
    run(PROTOCOL.model_copy(update={"epochs": 1}), "told")
    shuffled, told = (draw.targets[:16].tolist() for draw in seen)
    assert shuffled != told and sorted(shuffled) == sorted(told)


def test_rates_fall_by_layer_and_the_head_has_its_own():
    network = VolumeNetwork(make(), 8, 2)
    groups = parameter_groups(network, Finetune(learning_rate=1.0, layer_decay=0.5), PROTOCOL)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    named = {name: rates[id(p)] for name, p in network.named_parameters()}
    assert len(named) == len(rates)
    blocks = [named[f"encoder.blocks.{n}.mlp.fc1.weight"] for n in (0, 1)]
    assert blocks[0] == blocks[1] / 2
    assert named["encoder.patch_embed.proj.weight"] == blocks[0] / 2
    assert named["head.1.weight"] == PROTOCOL.learning_rate


def test_a_volume_is_the_mean_of_its_slices():
    network = VolumeNetwork(make(), 8, 2).eval()
    slices = torch.stack([load("lab/01"), load("lab/02")])
    with torch.no_grad():
        both = network(slices)
        tokens = network.encoder.forward_features(slices[0][:, None].expand(-1, 3, -1, -1))
        alone = network.head(tokens[:, 0].mean(0))
    torch.testing.assert_close(both[0], alone, atol=0.02, rtol=0.02)  # bfloat16 against float32


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("fusion", "mean", "fusion"),
        ("tokens", "patch", "tokens: patch"),
        ("oversample", True, "oversample"),
    ],
)
def test_what_the_paper_does_not_fine_tune_is_refused(key, value, said, card, table):
    other = card.model_copy(update={key: value})
    with pytest.raises(BadInput, match=rf"dx\.yaml: a task with {said}.* cannot be fine-tuned"):
        finetune(other, "x", make, load, table, None, (TUNED, PROTOCOL), None, 3, 0, CPU)


@pytest.fixture
def files(table, tmp_path):
    """Write what the corpus, imaging and pretraining leave behind of the table's volumes."""
    made = {"architecture": "vit_small_patch16_dinov3", "arguments": ARGUMENTS | {"init_values": 1}}
    del made["arguments"]["num_classes"]
    (tmp_path / "encoder.json").write_text(json.dumps(made))
    save_file(make().state_dict(), tmp_path / "encoder.safetensors")
    (tmp_path / "brains").mkdir()
    for name in table["volume_id"]:
        brain = 1 + load(name).numpy().transpose(2, 1, 0) - load(name).min().item()
        nib.save(nib.Nifti1Image(brain, np.eye(4)), tmp_path / "brains" / f"{name[-2:]}.nii.gz")
    index = table[["volume_id"]].assign(file=table["volume_id"].str[-2:] + ".nii.gz")
    subsets = pd.DataFrame({"ratio": 1.0, "seed": 0, "fold": 0, "subject": table["subject"][:14]})
    write_table(index, tmp_path / "index.parquet")
    write_table(table, tmp_path / "split.parquet")
    write_table(subsets, tmp_path / "subsets.parquet")
    return {
        **{name: str(tmp_path / f"{name}.parquet") for name in ("split", "subsets")},
        **{"weights": str(tmp_path / "encoder.safetensors"), "made": tmp_path / "encoder.json"},
        **{"indices": [tmp_path / "index.parquet"], "folders": [tmp_path / "brains"]},
    }


def test_two_processes_leave_the_predictions_of_one(card, files, tmp_path):
    """Batches of 4, 4 and 3 volumes: the processes' shares are not all equal."""
    protocol, made = PROTOCOL.model_copy(update={"epochs": 3}), {}
    for processes in (1, 2):
        out = tmp_path / f"{processes}.parquet"
        launch(
            *(processes, tmp_path / "job.log", finetune_files, files, out, card, "braindino"),
            *((TUNED, protocol), Imaging(evaluation_shape=(2, 32, 32))),
            *(tmp_path / f"checkpoints{processes}", 3, 0, "cpu"),
        )
        made[processes] = pd.read_parquet(out)
    pd.testing.assert_frame_equal(made[1], made[2], atol=2e-3, rtol=0)
    weights = [
        torch.load(tmp_path / f"checkpoints{n}" / "1.0-0.pt", weights_only=True)["network"]
        for n in (1, 2)
    ]
    before, name = make().state_dict(), "blocks.0.mlp.fc1.weight"
    one, two = (state[f"encoder.{name}"] for state in weights)
    assert (one - two).abs().mean() < 0.05 * (one - before[name]).abs().mean()
