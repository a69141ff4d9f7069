"""Weight files that others read, and theirs that are read here."""

import json
from types import SimpleNamespace

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from braindino.errors import BadInput
from braindino.files import sha256
from braindino.pretrain.backbone import Backbone
from braindino.pretrain.export import export_encoder
from braindino.pretrain.hub import write_hub_folder
from braindino.pretrain.model import build_pair
from braindino.pretrain.randomness import seeded_torch
from braindino.settings.encoders import Weights

DINOV2 = "vit_small_patch14_dinov2"
LEARNED = {"embed_dim": 48, "depth": 2, "num_heads": 3, "dynamic_img_size": True}


class Slices(list):
    datasets = ("a", "b")
    volumes = 3


@pytest.fixture
def lively(recipe):
    """A recipe whose blocks are not idle, without stochastic depth."""
    model = recipe.model
    changes = {"arguments": model.arguments | {"init_values": 1.0}, "drop_path": 0.0}
    return recipe.model_copy(update={"model": model.model_copy(update=changes)})


@pytest.fixture
def teacher(lively):
    network = build_pair(lively.model, seed=5)[1]
    network.backbone.mask_token.data.normal_()
    return network


@pytest.fixture
def folder(lively, teacher, tmp_path):
    run = SimpleNamespace(recipe=lively, teacher=teacher, iteration=6, seed=5)
    export_encoder(run, Slices(range(11)), tmp_path / "out")
    return tmp_path / "out"


def images(channels=3, size=48):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, channels, size, size, generator=generator)


def start_from(path, model, **weights):
    init = Weights(file="x", how_to_get="ask them.", **weights)
    return build_pair(model.model_copy(update={"init": init}), seed=0, init=path)


@torch.no_grad()
def test_timm_reads_the_dinov3_layout(folder, lively, teacher):
    content = torch.load(folder / "teacher_checkpoint.pth", weights_only=True)["teacher"]
    state = {k.removeprefix("backbone."): v for k, v in content.items() if k.startswith("backbone")}
    assert "storage_tokens" in state
    vit = timm.create_model(
        lively.model.architecture, num_classes=0, global_pool="token", **lively.model.arguments
    )
    vit.load_state_dict(timm.models.eva.checkpoint_filter_fn(state, vit), strict=True)
    torch.testing.assert_close(vit.eval()(images()), teacher.backbone(images())[0])


def test_the_dinov3_layout_has_the_references_keys(folder):
    content = torch.load(folder / "teacher_checkpoint.pth", weights_only=True)["teacher"]
    heads = [f"mlp.{n}.{part}" for n in (0, 2, 4) for part in ("weight", "bias")]
    block = [
        *(f"{layer}.{part}" for layer in ("norm1", "norm2") for part in ("weight", "bias")),
        *("attn.qkv.weight", "attn.proj.weight", "attn.proj.bias", "ls1.gamma", "ls2.gamma"),
        *(f"mlp.{layer}.{part}" for layer in ("fc1", "fc2") for part in ("weight", "bias")),
    ]
    assert set(content) == {
        *(f"{h}_head.{k}" for h in ("dino", "ibot") for k in [*heads, "last_layer.weight"]),
        *(f"backbone.blocks.{n}.{key}" for n in (0, 1) for key in block),
        *(f"backbone.{key}" for key in ("cls_token", "storage_tokens", "mask_token")),
        *("backbone.patch_embed.proj.weight", "backbone.patch_embed.proj.bias"),
        *("backbone.norm.weight", "backbone.norm.bias", "backbone.rope_embed.periods"),
    }
    assert content["backbone.mask_token"].shape == (1, 48)
    assert content["backbone.rope_embed.periods"].shape == (4,)  # a quarter of a head


def test_both_layouts_come_back_as_they_went(folder, lively, teacher):
    original = teacher.backbone.state_dict()
    student, again = start_from(folder / "teacher_checkpoint.pth", lively.model)
    torch.testing.assert_close(again.backbone.state_dict(), original, rtol=0, atol=0)
    torch.testing.assert_close(student.backbone.state_dict(), original, rtol=0, atol=0)
    _, timms = start_from(folder / "encoder.safetensors", lively.model)
    assert not timms.backbone.mask_token.any()  # timm has no place for it
    torch.testing.assert_close(
        timms.backbone.vit.state_dict(), teacher.backbone.vit.state_dict(), rtol=0, atol=0
    )


def released(folder, **changes):
    """Write a backbone as the authors of DINOv3 release it: alone, with biases that are zero."""
    content = torch.load(folder / "teacher_checkpoint.pth", weights_only=True)["teacher"]
    state = {k.removeprefix("backbone."): v for k, v in content.items() if k.startswith("backbone")}
    for n in (0, 1):
        state[f"blocks.{n}.attn.qkv.bias"] = torch.zeros(144)
        state[f"blocks.{n}.attn.qkv.bias_mask"] = torch.ones(144)
    torch.save(state | changes, folder / "released.pth")
    return folder / "released.pth"


def test_released_backbones_are_read(folder, lively, teacher):
    _, again = start_from(released(folder), lively.model)
    torch.testing.assert_close(again.backbone.state_dict(), teacher.backbone.state_dict())


def test_biases_that_the_model_lacks_are_not_dropped_in_silence(folder, lively):
    path = released(folder, **{"blocks.1.attn.qkv.bias": torch.ones(144)})
    with pytest.raises(BadInput, match=r"blocks\.1\.attn\.qkv\.bias is not zero"):
        start_from(path, lively.model)


@torch.no_grad()
def test_dinov2_is_read_and_its_positions_resized(tmp_path):
    """Meta's file: timm's names, a mask token, positions of a larger image."""
    with seeded_torch(0):
        vit = timm.create_model(DINOV2, num_classes=0, img_size=112, **LEARNED)
    state = vit.state_dict() | {"mask_token": torch.ones(1, 48)}
    torch.save(state, tmp_path / "dinov2.pth")
    backbone = Backbone(DINOV2, LEARNED | {"img_size": 56}).eval()
    backbone.load(tmp_path / "dinov2.pth")
    assert torch.equal(backbone.mask_token, torch.ones(48))
    expected = vit.eval().forward_features(images(size=56))
    torch.testing.assert_close(backbone(images(size=56))[0], expected[:, 0], atol=1e-4, rtol=1e-4)


def test_one_training_forward_of_a_dinov2(lively):
    """BrainFound: three different channels, learned positions, 98-pixel local crops of 14."""
    changes = {"architecture": DINOV2, "arguments": LEARNED | {"img_size": 224}}
    student, teacher = build_pair(lively.model.model_copy(update=changes), seed=0)
    masks = torch.zeros(2, 16, 16).bool()
    masks[:, :4] = True
    cls, patches = student.backbone(images(size=224), masks)
    local, _ = student.backbone(images(size=98))
    loss = student.dino_head.mlp(torch.cat([cls, local])).square().mean()
    (loss + student.ibot_head.mlp(patches[masks.flatten(1)]).square().mean()).backward()
    used = dict(student.named_parameters())
    unused = {name for name, p in used.items() if p.grad is None}
    assert unused == {"dino_head.prototypes.weight", "ibot_head.prototypes.weight"}
    assert student.backbone.vit.pos_embed.grad.abs().sum() > 0
    assert teacher.backbone(images(size=224))[1].shape == (2, 256, 48)


def test_files_that_do_not_fit_are_refused(folder, lively, tmp_path):
    state = load_file(folder / "encoder.safetensors")
    del state["norm.weight"]
    save_file(state, tmp_path / "short.safetensors")
    with pytest.raises(BadInput, match=r"short\.safetensors: does not fit.*norm\.weight"):
        start_from(tmp_path / "short.safetensors", lively.model)
    (tmp_path / "cut.safetensors").write_bytes(b"\x10")
    with pytest.raises(BadInput, match=r"cut\.safetensors: not a readable weight file"):
        start_from(tmp_path / "cut.safetensors", lively.model)
    torch.save({"teacher": SimpleNamespace()}, tmp_path / "code.pth")
    with pytest.raises(BadInput, match=r"code\.pth: not a readable weight file"):
        start_from(tmp_path / "code.pth", lively.model)
    with pytest.raises(BadInput, match=r"its checksum is not the one in the recipe.*ask them"):
        start_from(folder / "encoder.safetensors", lively.model, sha256="0" * 64)
    with pytest.raises(BadInput, match="x is not below weights_root; ask them"):
        start_from(None, lively.model)


def test_the_card_says_where_the_encoder_comes_from(folder):
    card = json.loads((folder / "encoder.json").read_text())
    assert card["sha256"] == sha256(folder / "encoder.safetensors")
    assert card["data"] == {"datasets": ["a", "b"], "volumes": 3, "slices": 11}
    assert "random weights" in card["licence"]
    assert card["recipe"]["model"]["init"] == "random"
    assert "commit" in card


@torch.no_grad()
def test_a_hub_folder_is_one_that_timm_loads(folder, teacher, tmp_path):
    card = json.loads((folder / "encoder.json").read_text())
    write_hub_folder(folder / "encoder.safetensors", card, [], tmp_path / "hub")
    vit = timm.create_model(f"local-dir:{tmp_path / 'hub'}", pretrained=True).eval()
    torch.testing.assert_close(vit(images()), teacher.backbone(images())[0])
    assert vit.pretrained_cfg["input_size"] == [3, 48, 48]
    assert {path.name for path in (tmp_path / "hub").iterdir()} == {
        *("model.safetensors", "config.json", "encoder.json", "README.md")
    }


def test_the_model_card_states_data_licence_and_demo(folder, tmp_path):
    card = json.loads((folder / "encoder.json").read_text())
    write_hub_folder(folder / "encoder.safetensors", card, ["b"], tmp_path / "hub")
    text = (tmp_path / "hub" / "README.md").read_text()
    assert "11 slices of\n3 volumes of a, b" in text
    assert "6 iterations from random weights" in text
    assert card["licence"] in text
    assert "b are phantoms" in text
    assert "a grey slice is repeated over the channels" in text


def test_the_model_card_of_a_second_stage_names_the_first(folder, tmp_path):
    card = json.loads((folder / "encoder.json").read_text())
    views = card["recipe"]["views"] | {"channels": "neighbours"}
    card["recipe"] |= {"continues": "toy", "views": views}
    write_hub_folder(folder / "encoder.safetensors", card, [], tmp_path / "hub")
    text = (tmp_path / "hub" / "README.md").read_text()
    assert "iterations from the weights of recipe `toy`" in text
    assert "the channels are three slices in sequence" in text
