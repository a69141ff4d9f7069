"""Published key layouts load through the cards, and give what the reference library gives.

Each reference is built by hand, by the library's own class, with random weights; what a card makes
of its file must put out the same. A file that is not the published one stops, with the list.
"""

import json
import re

import pytest
import timm
import torch
import torch.nn.functional as F
from dynamic_network_architectures.building_blocks.plain_conv_encoder import PlainConvEncoder
from monai.networks.nets import ViT, resnet18
from safetensors.torch import save_file
from torch import nn

from braindino.errors import BadInput
from braindino.settings.load import load_card

SIZES = {"slices": (2, 32, 32), "volume": (32, 32, 32)}
VIT = {"embed_dim": 48, "depth": 3, "num_heads": 3}
MONAI = {"img_size": (32,) * 3, "patch_size": (16,) * 3, "hidden_size": 48, "mlp_dim": 96}
MONAI |= {"num_layers": 3, "num_heads": 4}
LAYERS = {"early": "blocks.0", "mid": "blocks.1", "late": "blocks.2"}


def randomised(network):
    """Give every learned value of a network a random one, and BatchNorm random averages."""
    generator = torch.Generator().manual_seed(7)
    learned = {key: p for key, p in network.named_parameters() if p.requires_grad}
    averages = {key: b for key, b in network.named_buffers() if "running_" in key}
    for key, value in (learned | averages).items():
        value.data = 0.2 * torch.randn(value.shape, generator=generator)
        if key.endswith("running_var"):
            value.data = value.abs() + 0.5
    return network.eval()


def meta_layout(state):
    """Timm's keys of a DINOv3 ViT as Meta's code, and whoever trains by it, writes them."""
    keys = {"reg_token": "storage_tokens"}
    renamed = {
        re.sub(r"\.gamma_(\d)$", r".ls\1.gamma", keys.get(k, k)): v for k, v in state.items()
    }
    depth = 1 + max(int(k.split(".")[1]) for k in state if k.startswith("blocks."))
    dim = state["cls_token"].shape[-1]
    extra = {"mask_token": torch.zeros(1, dim), "rope_embed.periods": torch.ones(4)}
    bias = {f"blocks.{i}.attn.qkv.bias": torch.zeros(3 * dim) for i in range(depth)}
    mask = {f"blocks.{i}.attn.qkv.bias_mask": torch.ones(3 * dim) for i in range(depth)}
    return renamed, extra, bias | mask


def prefixed(start, state):
    return {start + key: value for key, value in state.items()}


def channels(slices, mean=0.0, std=1.0):
    return (
        slices.flatten(0, 1)[:, None].repeat(1, 3, 1, 1) - torch.tensor(mean).view(-1, 1, 1)
    ) / (torch.tensor(std).view(-1, 1, 1))


def class_tokens(network, images, volumes):
    return network.forward_features(images)[:, 0].unflatten(0, (volumes, -1)).mean(1)


IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def dinov3(x):
    network = randomised(timm.create_model("vit_small_patch16_dinov3", num_classes=0, **VIT))
    renamed, extra, bias = meta_layout(network.state_dict())
    return renamed | extra | bias, class_tokens(network, channels(x, **IMAGENET), len(x))


def teacher(x):
    """BrainDINO's and MedDINOv3's layout: a teacher's backbone beside its heads."""
    network = randomised(timm.create_model("vit_small_patch16_dinov3", num_classes=0, **VIT))
    for module in network.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-6
    renamed, extra, _ = meta_layout(network.state_dict())
    heads = {"dino_head.mlp.0.weight": torch.ones(2), "ibot_head.last_layer.weight": torch.ones(2)}
    file = {"teacher": prefixed("backbone.", renamed | extra) | heads}
    return file, class_tokens(network, channels(x), len(x))


def dinov2(x):
    arguments = {"img_size": 28, "init_values": 1.0} | VIT
    network = randomised(timm.create_model("vit_small_patch14_dinov2", num_classes=0, **arguments))
    state = network.state_dict() | {"mask_token": torch.zeros(1, 48)}
    return state, class_tokens(network, channels(x, **IMAGENET), len(x))


def imagenet(x):
    arguments = {"img_size": 32, "num_classes": 7} | VIT
    network = randomised(timm.create_model("vit_small_patch16_224", **arguments))
    images = channels(x, (0.5,) * 3, (0.5,) * 3)
    return network.state_dict(), class_tokens(network, images, len(x))


def brainmvp(x):
    state = uniformer_state([1, 1, 1, 2], [4, 8, 16, 32])
    published = prefixed("module.encoder.uniformer.", state)
    published |= {"module.decoder.up.weight": torch.ones(2), "module.rep_template": torch.ones(2)}
    file = {"current_epoch": 3, "state_dict": published, "optimizer": {}, "val_best": 0.1}
    return file, uniformer(x, state).mean((2, 3, 4))


def bm_mae(x):
    arguments = MONAI | {"qkv_bias": True, "pos_embed_type": "sincos", "classification": True}
    network = randomised(ViT(1, **arguments))
    network.classification_head = nn.Identity()
    start = "patch_embedding."
    own = {k: v for k, v in network.state_dict().items() if not k.startswith(start)}
    own = {k: v for k, v in own.items() if "norm_cross_attn" not in k}
    tokenizer = {k: v for k, v in network.state_dict().items() if k.startswith(start)}
    others = {
        k: v + 1 if v.requires_grad or "position" not in k else v for k, v in tokenizer.items()
    }
    for name in ("t1ce", "t2", "flair"):
        own |= prefixed(f"tokenizers.{name}.", others)
    own |= prefixed("tokenizers.t1.", tokenizer) | {"decoder.norm.weight": torch.ones(2)}
    return own, network(x[:, None])[0]


def brainiac(x):
    network = randomised(ViT(1, **MONAI))
    old = {k: v for k, v in network.state_dict().items() if "norm_cross_attn" not in k}
    return prefixed("backbone.", old), network(x[:, None])[0][:, 0]


def simclr_3d(x):
    network = resnet18(spatial_dims=3, n_input_channels=1, feed_forward=False, widen_factor=0.125)
    network = randomised(network)
    state = prefixed("module.encoder.", network.state_dict())
    state["module.projector.0.weight"] = torch.ones(2)
    return {"epoch": 2, "model_state_dict": state}, network(x[:, None])


def amaes(x):
    network = PlainConvEncoder(
        1, 5, [4, 8, 16, 32, 64], nn.Conv3d, 3, [1, 2, 2, 2, 2], 2, conv_bias=True,
        norm_op=nn.InstanceNorm3d, norm_op_kwargs={"affine": True}, nonlin=nn.LeakyReLU,
        pool="max",
    )  # fmt: skip
    network = randomised(network)
    names = ("in_conv", "encoder_conv1", "encoder_conv2", "encoder_conv3", "encoder_conv4")
    state = {}
    for key, value in network.state_dict().items():
        stage, conv, part = re.search(r"stages\.(\d)\..*convs\.(\d)\.(.+)$", key).groups()
        if part.startswith(("conv.", "norm.")):
            state[f"model._orig_mod.encoder.{names[int(stage)]}.conv{int(conv) + 1}.{part}"] = value
    state["model._orig_mod.decoder.out_conv.weight"] = torch.ones(2)
    return state, network(x[:, None]).mean((2, 3, 4))


SMALL = {
    "dinov3": {"architecture": "vit_small_patch16_dinov3", "arguments": VIT, "layers": None},
    "braindino": {"source": "python"},
    "meddinov3": {"layers": None},
    "dinov2": {
        "architecture": "vit_small_patch14_dinov2",
        "arguments": {"img_size": 28, "init_values": 1.0} | VIT,
        "layers": None,
    },
    "imagenet": {
        "architecture": "vit_small_patch16_224",
        "arguments": {"img_size": 32} | VIT,
        "layers": None,
    },
    "brainmvp": {
        "arguments": {"depths": [1, 1, 1, 2], "dims": [4, 8, 16, 32], "head_dim": 4},
    },
    "bm_mae": {
        "arguments": {"size": 32, "dim": 48, "depth": 3, "heads": 4, "mlp_dim": 96}, "layers": None,
    },
    "brainiac": {"arguments": MONAI | {"in_channels": 1}, "layers": None},
    "simclr_3d": {},
    "amaes": {"arguments": {"filters": 4}},
}  # fmt: skip
SMALL["braindino"]["arguments"] = {"architecture": "vit_small_patch16_dinov3"} | VIT
SMALL["meddinov3"]["arguments"] = SMALL["braindino"]["arguments"]
REFERENCES = {name: globals().get(name, teacher) for name in SMALL}


@pytest.fixture(params=SMALL)
def name(request):
    return request.param


@pytest.fixture
def card(name, root):
    override = {"arguments": {"widen_factor": 0.125}} if name == "simclr_3d" else {}
    return load_card("encoders", name, root / "config", override).model_copy(update=SMALL[name])


@pytest.fixture
def volumes(card):
    shape = {**SIZES, "slices": (2, 28, 28) if card.patch == 14 else SIZES["slices"]}
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, *shape[card.input.native.kind], generator=generator)


@pytest.fixture
def file(name, volumes):
    with torch.inference_mode():
        return REFERENCES[name](volumes)


def write(content, card, folder):
    """Save a file under its published name."""
    path = folder / card.weights.file.split("/")[-1]
    if path.suffix == ".safetensors":
        save_file({key: value.clone() for key, value in content.items()}, path)
    else:
        torch.save(content, path)
    return path


def holder(content, card):
    """Return the dict of a file's content that holds the weights."""
    return content.get(card.weights.unwrap, content)


def own_key(content, card):
    """Return the key of a matrix that the network takes from a file."""
    start = re.compile(card.weights.prefix)
    unused = re.compile("|".join([*card.weights.unused, *card.weights.zero]) or "(?!)")
    keys = holder(content, card)
    return next(
        k for k in reversed(keys) if start.match(k) and not unused.fullmatch(k) and keys[k].ndim > 1
    )


def test_published_layout_gives_what_the_reference_class_gives(
    card, file, volumes, build, tmp_path
):
    content, expected = file
    encoder = build(card, write(content, card, tmp_path))
    embedding = encoder.embed(volumes, ["T1w"] * 3)
    torch.testing.assert_close(embedding, expected, atol=2e-5, rtol=1e-4)


def test_a_missing_key_stops_with_its_name(card, file, build, tmp_path):
    content, key = file[0], own_key(file[0], card)
    del holder(content, card)[key]
    with pytest.raises(BadInput, match=r"1 keys missing: ") as error:
        build(card, write(content, card, tmp_path))
    assert key.split(".")[-2] in str(error.value)


def test_a_renamed_key_stops_with_both_names(card, file, build, tmp_path):
    content, key = file[0], own_key(file[0], card)
    held = holder(content, card)
    held[f"{key}_v2"] = held.pop(key)
    with pytest.raises(BadInput, match=r"1 keys missing: .*; 1 keys unexpected: .*_v2"):
        build(card, write(content, card, tmp_path))


def test_a_wrong_shape_stops_with_both_shapes(card, file, build, tmp_path):
    content, key = file[0], own_key(file[0], card)
    held = holder(content, card)
    shape = list(held[key].shape)
    held[key] = torch.zeros(shape[0] + 1, *shape[1:])
    with pytest.raises(BadInput, match=r"1 keys of another shape: ") as error:
        build(card, write(content, card, tmp_path))
    assert f"{[shape[0] + 1, *shape[1:]]} instead of {shape}" in str(error.value)


def test_a_file_wrapped_one_level_too_deep_stops_with_the_key(card, file, build, tmp_path):
    path = tmp_path / "wrapped.pth"
    torch.save({"ema": file[0]}, path)
    with pytest.raises(BadInput, match="unwrap") as error:
        build(card, path)
    assert "ema" in str(error.value)


def test_weights_that_change_nothing_are_no_weights(small_card, build, tmp_path):
    card = small_card("dinov3")
    save_file(build(card).network.state_dict(), tmp_path / "same.safetensors")
    with pytest.raises(BadInput, match=r"only 0.0% differ from before.*unchanged: cls_token"):
        build(card, tmp_path / "same.safetensors")


def test_weights_of_which_a_matrix_changes_nothing_are_refused_with_its_name(
    small_card, build, tmp_path
):
    card, kept = small_card("dinov3"), "blocks.2.mlp.fc1.weight"
    state = build(card).network.state_dict()
    file = {key: value if key == kept else value + 1 for key, value in state.items()}
    save_file(file, tmp_path / "part.safetensors")
    with pytest.raises(BadInput, match=r"only 9\d\.\d% differ from before.*unchanged: " + kept):
        build(card, tmp_path / "part.safetensors")


def test_a_bias_that_is_not_zero_is_not_dropped(root, build, tmp_path):
    card = load_card("encoders", "dinov3", root / "config").model_copy(update=SMALL["dinov3"])
    content, _ = dinov3(torch.rand(1, 2, 32, 32))
    content["blocks.1.attn.qkv.bias"][3] = 0.5
    with pytest.raises(BadInput, match=r"1 keys unexpected: blocks\.1\.attn\.qkv\.bias"):
        build(card, write(content, card, tmp_path))


def test_this_projects_own_checkpoint_is_timm_fed_directly(root, build, tmp_path):
    network = randomised(timm.create_model("vit_small_patch16_dinov3", num_classes=0, **VIT))
    save_file(network.state_dict(), tmp_path / "encoder.safetensors")
    made = {"architecture": "vit_small_patch16_dinov3", "arguments": VIT}
    (tmp_path / "encoder.json").write_text(json.dumps(made))
    card = load_card("encoders", "braindino", root / "config")
    volumes = torch.randn(2, 5, 32, 48, generator=torch.Generator().manual_seed(0))
    encoder = build(card, tmp_path / "encoder.safetensors")
    with torch.inference_mode():
        tokens = network.forward_features(channels(volumes)).unflatten(0, (2, 5))
    out = encoder.read(volumes)
    torch.testing.assert_close(out.embedding, tokens[:, :, 0].mean(1), atol=1e-6, rtol=1e-5)
    assert torch.equal(encoder.tokens(volumes).flatten(2, 3), tokens[:, :, 5:])
    assert list(out.layers) == ["early", "mid", "late"]


def test_an_encoder_of_three_slices_at_once_is_fed_so(root, build, tmp_path):
    network = randomised(timm.create_model("vit_small_patch16_dinov3", num_classes=0, **VIT))
    save_file(network.state_dict(), tmp_path / "encoder.safetensors")
    made = {"architecture": "vit_small_patch16_dinov3", "arguments": VIT}
    made["recipe"] = {"views": {"channels": "neighbours"}}
    (tmp_path / "encoder.json").write_text(json.dumps(made))
    card = load_card("encoders", "braindino", root / "config")
    volumes = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    a, b, c = volumes.unbind(1)
    images = [torch.stack(three, 1) for three in ((a, a, b), (a, b, c), (b, c, c))]
    with torch.inference_mode():
        expected = torch.stack([network.forward_features(i)[:, 0] for i in images]).mean(0)
    out = build(card, tmp_path / "encoder.safetensors").embed(volumes)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)


def test_checksum_and_size_of_another_file(small_card, build, tmp_path):
    card = small_card("dinov3")
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"tampered")
    for key, value in (("sha256", "0" * 64), ("size", 9)):
        weights = card.weights.model_copy(update={key: value})
        with pytest.raises(BadInput, match=r"download.*timm/vit_base_patch16_dinov3"):
            build(card.model_copy(update={"weights": weights}), path)


@pytest.mark.parametrize("name", ["model.safetensors", "model.pth"])
@pytest.mark.parametrize("content", [b"<html>404</html>", b"PK\x03\x04 cut short", b""])
def test_a_file_that_holds_no_weights(content, name, small_card, build, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput, match=name):
        build(small_card("dinov3"), path)


def uniformer_state(depths, dims):
    """Random weights in BrainMVP's layout, written down from the published description."""
    generator, state = torch.Generator().manual_seed(3), {}

    def layer(name, *shape):
        scale = 0.5 / max(1, torch.tensor(shape[1:]).prod().item()) ** 0.5
        state[f"{name}.weight"] = scale * torch.randn(*shape, generator=generator)
        state[f"{name}.bias"] = 0.1 * torch.randn(shape[0], generator=generator)

    def norm(name, dim, batch=False):
        state[f"{name}.weight"] = 1 + 0.1 * torch.randn(dim, generator=generator)
        state[f"{name}.bias"] = 0.1 * torch.randn(dim, generator=generator)
        if batch:
            state[f"{name}.running_mean"] = 0.1 * torch.randn(dim, generator=generator)
            state[f"{name}.running_var"] = 1 + torch.rand(dim, generator=generator)
            state[f"{name}.num_batches_tracked"] = torch.tensor(5)

    inputs = [1, *dims]
    for stage, (depth, dim) in enumerate(zip(depths, dims, strict=True), start=1):
        layer(f"patch_embed{stage}.proj", dim, inputs[stage - 1], 2, 2, 2)
        norm(f"patch_embed{stage}.norm", dim)
        for block in (f"blocks{stage}.{i}" for i in range(depth)):
            kernel = (1, 1, 1) if stage < 3 else ()
            layer(f"{block}.pos_embed", dim, 1, 3, 3, 3)
            norm(f"{block}.norm1", dim, batch=stage < 3)
            if stage < 3:
                layer(f"{block}.conv1", dim, dim, 1, 1, 1)
                layer(f"{block}.conv2", dim, dim, 1, 1, 1)
                layer(f"{block}.attn", dim, 1, 5, 5, 5)
            else:
                layer(f"{block}.attn.qkv", 3 * dim, dim)
                layer(f"{block}.attn.proj", dim, dim)
            norm(f"{block}.norm2", dim, batch=stage < 3)
            layer(f"{block}.mlp.fc1", 4 * dim, dim, *kernel)
            layer(f"{block}.mlp.fc2", dim, 4 * dim, *kernel)
    norm("norm", dims[-1], batch=True)
    return state


def uniformer(volumes, state, depths=(1, 1, 1, 2), head_dim=4):
    """UniFormer by torch's functions and its own attention, one step after another."""

    def weights(name):
        return state[f"{name}.weight"], state[f"{name}.bias"]

    def batch_norm(name, x):
        averages = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return F.batch_norm(x, *averages, *weights(name))

    def layer_norm(name, x, eps):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        weight, bias = weights(name)
        return (x - mean) / (variance + eps).sqrt() * weight + bias

    x = volumes[:, None].permute(0, 1, 4, 2, 3)
    for stage in range(1, 5):
        x = F.conv3d(x, *weights(f"patch_embed{stage}.proj"), stride=2)
        grid, dim = x.shape[2:], x.shape[1]
        x = layer_norm(f"patch_embed{stage}.norm", x.flatten(2).transpose(1, 2), 1e-5)
        x = x.transpose(1, 2).reshape(len(x), dim, *grid)
        for block in (f"blocks{stage}.{i}" for i in range(depths[stage - 1])):
            x = x + F.conv3d(x, *weights(f"{block}.pos_embed"), padding=1, groups=dim)
            if stage < 3:
                y = F.conv3d(batch_norm(f"{block}.norm1", x), *weights(f"{block}.conv1"))
                y = F.conv3d(y, *weights(f"{block}.attn"), padding=2, groups=dim)
                x = x + F.conv3d(y, *weights(f"{block}.conv2"))
                y = F.conv3d(batch_norm(f"{block}.norm2", x), *weights(f"{block}.mlp.fc1"))
                x = x + F.conv3d(F.gelu(y), *weights(f"{block}.mlp.fc2"))
                continue
            t = x.flatten(2).transpose(1, 2)
            y = F.linear(layer_norm(f"{block}.norm1", t, 1e-6), *weights(f"{block}.attn.qkv"))
            q, k, v = (
                part.reshape(len(t), -1, dim // head_dim, head_dim).transpose(1, 2)
                for part in y.split(dim, dim=2)
            )
            attention = (q @ k.transpose(2, 3) / head_dim**0.5).softmax(-1)
            y = (attention @ v).transpose(1, 2).reshape(t.shape)
            t = t + F.linear(y, *weights(f"{block}.attn.proj"))
            y = F.linear(layer_norm(f"{block}.norm2", t, 1e-6), *weights(f"{block}.mlp.fc1"))
            t = t + F.linear(F.gelu(y), *weights(f"{block}.mlp.fc2"))
            x = t.transpose(1, 2).reshape(x.shape)
    return batch_norm("norm", x)
