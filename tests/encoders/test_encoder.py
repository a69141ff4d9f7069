import pytest
import timm
import torch
from safetensors.torch import save_file

from braindino.encoders.encoder import SliceEncoder, load_pretrained, load_published_timm
from braindino.errors import BadInput
from braindino.settings.cards import EncoderCard

ARCHITECTURE = "vit_small_patch16_dinov3"
TINY = {"embed_dim": 96, "depth": 2, "num_heads": 3}
CPU = torch.device("cpu")


@pytest.fixture
def card():
    return EncoderCard(
        name="dinov3",
        title="DINOv3",
        citation="",
        licence="",
        access="open",
        source="timm",
        architecture=ARCHITECTURE,
        arguments=TINY,
        weights={"file": "model.safetensors", "how_to_get": "download it."},
    )


@pytest.fixture
def slices():
    return torch.randn(7, 64, 64, generator=torch.Generator().manual_seed(0))


def test_embedding_is_the_mean_class_token(card, slices):
    network = load_published_timm(card, None, seed=0)
    embedding = SliceEncoder(network, CPU, batch=3).embed(slices)
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        tokens = network.forward_features(slices[:, None].repeat(1, 3, 1, 1))
    expected = tokens[:, 0].float().mean(0)
    assert embedding.shape == (96,)
    torch.testing.assert_close(embedding, expected, atol=0.03, rtol=0.03)


def test_frozen_means_eval_mode_no_gradient_and_unchanged_weights(card, slices):
    network = load_published_timm(card, None, seed=0)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    encoder = SliceEncoder(network, CPU, batch=4)
    encoder.embed(slices)
    assert not encoder.network.training
    assert not any(p.requires_grad for p in encoder.network.parameters())
    for key, value in encoder.network.state_dict().items():
        torch.testing.assert_close(value, before[key], atol=0, rtol=0)


def test_the_order_of_slices_does_not_matter(card, slices):
    encoder = SliceEncoder(load_published_timm(card, None, seed=0), CPU, batch=7)
    torch.testing.assert_close(encoder.embed(slices), encoder.embed(slices.flip(0)))


def test_untrained_weights_depend_on_the_seed_alone(card):
    torch.manual_seed(1)
    one = load_published_timm(card, None, seed=0)
    torch.manual_seed(2)
    two, other = load_published_timm(card, None, seed=0), load_published_timm(card, None, seed=1)
    weight = "blocks.0.attn.qkv.weight"
    assert torch.equal(one.state_dict()[weight], two.state_dict()[weight])
    assert not torch.equal(one.state_dict()[weight], other.state_dict()[weight])


def test_published_file_in_metas_key_layout(card, slices, tmp_path):
    source = load_published_timm(card, None, seed=3)
    keys = {"reg_token": "storage_tokens", ".gamma_1": ".ls1.gamma", ".gamma_2": ".ls2.gamma"}
    state = {}
    for key, value in source.state_dict().items():
        for ours, theirs in keys.items():
            key = key.replace(ours, theirs)
        state[key] = value.contiguous()
    state["mask_token"] = torch.zeros(1, 96)
    save_file(state, tmp_path / "model.safetensors")
    loaded = load_published_timm(card, tmp_path / "model.safetensors", seed=0)
    one, two = (SliceEncoder(n, CPU, 8).embed(slices) for n in (source, loaded))
    torch.testing.assert_close(one, two, atol=0, rtol=0)


def test_missing_key_is_refused(tmp_path):
    network = timm.create_model(ARCHITECTURE, **TINY, num_classes=0)
    state = network.state_dict()
    del state["blocks.1.mlp.fc1.weight"]
    save_file(state, tmp_path / "encoder.safetensors")
    with pytest.raises(BadInput, match=r"does not fit.*blocks\.1\.mlp\.fc1\.weight"):
        load_pretrained(tmp_path / "encoder.safetensors", ARCHITECTURE, TINY)


def test_wrong_checksum_is_refused(card, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"tampered")
    weights = card.weights.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(BadInput, match="checksum"):
        changed = card.model_copy(update={"weights": weights})
        load_published_timm(changed, tmp_path / "model.safetensors", seed=0)
