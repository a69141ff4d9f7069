"""What is read of a network: by the card's rule, and by nothing else."""

import pytest
import torch
from torch import nn

from braindino.encoders.encoder import Encoder
from braindino.encoders.reading import axial_planes
from braindino.errors import BadInput
from braindino.settings.encoders import EncoderCard
from braindino.settings.views import SliceView, VolumeView

CPU = torch.device("cpu")


class Patches(nn.Module):
    """A network whose tokens are the means of its patches, after a token of their maximum."""

    def __init__(self, patch):
        super().__init__()
        self.patch = patch
        self.average = nn.BatchNorm1d(1)
        self.idle = nn.Identity()

    def forward(self, images):
        images = images.mean(1)
        for axis in range(1, images.ndim):
            images = images.unfold(axis, self.patch, self.patch)
        means = images.flatten(images.ndim // 2 + 1).mean(-1).flatten(1)
        return torch.cat([images.flatten(1).amax(1, keepdim=True), means], 1)[..., None]


def make_card(**changes):
    slices = {"kind": "slices", "channels": 3, "source": "test"}
    values = {
        "name": "mine",
        "title": "Mine",
        "citation": "none",
        "licence": "MIT",
        "access": "none",
        "source": "python",
        "architecture": "mine.Patches",
        "input": {"native": slices},
        "prefix_tokens": 1,
        "patch": 4,
    }
    return EncoderCard(**values | changes)


def make_encoder(card=None, view=None, patch=4, **options):
    card = card or make_card()
    return Encoder(Patches(patch), card, view or card.input.native, CPU, bf16=False, **options)


@pytest.fixture
def slices():
    return torch.rand(3, 5, 16, 12, generator=torch.Generator().manual_seed(0))


def test_class_token_is_averaged_over_slices(slices):
    expected = slices.amax((2, 3)).mean(1, keepdim=True)
    torch.testing.assert_close(make_encoder(batch=4).embed(slices), expected)


def test_mean_embedding_leaves_the_class_token_out(slices):
    encoder = make_encoder(make_card(embedding="mean"))
    torch.testing.assert_close(encoder.embed(slices), slices.mean((1, 2, 3))[:, None])


def test_patch_mean_is_that_of_the_slices_in_the_axial_range(slices):
    out = make_encoder(axial_range=(0.35, 0.6)).read(slices)
    # Of five slices, centred at 0.1, 0.3, 0.5, 0.7 and 0.9, one lies inside.
    torch.testing.assert_close(out.patch_mean, slices[:, 2].mean((1, 2))[:, None])


@pytest.mark.parametrize(("axcodes", "place"), [("RAS", (2, 0)), ("SPL", (0, 0)), ("LPI", (2, 3))])
def test_axial_range_of_a_whole_volume_follows_its_axes(axcodes, place):
    axis, plane = place
    volume = torch.zeros(1, 16, 16, 16)
    volume.select(axis + 1, 4 * plane).fill_(1)  # in the lowest quarter
    view = VolumeView(axcodes=axcodes, size=(16, 16, 16), fit="crop", source="test")
    out = make_encoder(view=view, axial_range=(0, 0.25)).read(volume)
    torch.testing.assert_close(out.patch_mean, torch.tensor([[0.25]]))


def test_an_axial_range_between_two_planes_takes_the_nearest():
    assert axial_planes(2, (0.45, 0.55)).tolist() in ([0], [1])
    assert axial_planes(10, (0.35, 0.6)).tolist() == [3, 4, 5]
    assert axial_planes(10, (0.0, 0.2), downwards=True).tolist() == [8, 9]


def test_tokens_lie_where_their_patches_are(slices):
    tokens = make_encoder(batch=3).tokens(slices)
    assert tokens.shape == (3, 5, 4, 3, 1)
    torch.testing.assert_close(tokens[1, 2, 3, 0, 0], slices[1, 2, 12:16, :4].mean())


def test_channels_are_normalised_one_by_one(slices):
    view = SliceView(kind="slices", mean=(0.0, 3.0), std=(1.0, 2.0), channels=2, source="test")
    expected = ((slices + (slices - 3) / 2) / 2).amax((2, 3)).mean(1, keepdim=True)
    torch.testing.assert_close(make_encoder(view=view).embed(slices), expected)


def test_wrong_patch_size_names_the_key(slices):
    with pytest.raises(BadInput, match=r"12 patch tokens do not fill the grid 2 x 1.*'patch'"):
        make_encoder(make_card(patch=8)).embed(slices)


def test_module_that_is_not_there_names_those_that_are(slices):
    with pytest.raises(BadInput, match=r"'tokens' .* module 'norm'.*it holds: average, idle"):
        make_encoder(make_card(tokens="norm"))


def test_module_that_never_runs_is_not_read_in_silence(slices):
    with pytest.raises(BadInput, match=r"'tokens' takes no part"):
        make_encoder(make_card(tokens="idle")).embed(slices)


def test_contrast_that_the_card_does_not_know(slices):
    with pytest.raises(BadInput, match=r"no contrast 'PDw'.*lists: T1w"):
        make_encoder(make_card(modalities={"T1w": "t1"})).embed(slices[:1], ["PDw"])


def test_a_change_of_a_buffer_is_noticed(slices):
    encoder = make_encoder()
    encoder.network.average.running_mean += 1
    with pytest.raises(AssertionError, match="changed the encoder's state"):
        encoder.assert_frozen()


def test_a_child_in_training_mode_is_noticed():
    encoder = make_encoder()
    encoder.network.average.train()
    with pytest.raises(AssertionError, match="not in eval mode: average"):
        encoder.assert_frozen()


def test_bfloat16_stays_close(small_card, build, slices):
    one, half = (
        build(small_card("dinov3"), bf16=bf16).embed(
            slices[..., :16, :].repeat(1, 1, 2, 2)[..., :32, :16]
        )
        for bf16 in (False, True)
    )
    assert half.dtype == torch.float32
    assert (1 - torch.cosine_similarity(one, half)).max() < 1e-2
