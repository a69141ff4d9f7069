"""Cards of every encoder at the demo's size, or the one of `--encoder`; small brains."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from braindino.corpus.availability import weights_file
from braindino.encoders.build import build_encoder
from braindino.imaging.views import encoder_input
from braindino.settings.config import Config
from braindino.settings.encoders import Features
from braindino.settings.imaging import Imaging
from braindino.settings.load import load_card, read_yaml, untrained

CONFIG = Path(__file__).parents[2] / "config"
SMALL = read_yaml(CONFIG / "demo.yaml")["overrides"]["encoders"]
CPU = torch.device("cpu")
MODALITIES = ["T1w", "T1c", "T2w"]


def small_card(name, **changes):
    """Return a card at the demo's size; of this run's own encoder, the untrained control."""
    card = load_card("encoders", name, CONFIG, SMALL.get(name))
    if card.source == "recipe":
        card = untrained(card, load_card("recipes", "tiny", CONFIG))
    return card.model_copy(update=changes)


def named_card(option):
    """Return the card that `--encoder` names or whose path it is."""
    path = Path(option)
    if path.suffix in (".yaml", ".yml"):
        folder = path.resolve().parent.parent  # .../encoders/mine.yaml
        sys.path.append(str(path.parent))  # its class may be beside it
        return load_card("encoders", path.stem, folder)
    return load_card("encoders", option, CONFIG)


def pytest_generate_tests(metafunc):
    if "any_card" in metafunc.fixturenames:
        option = metafunc.config.getoption("--encoder")
        names = sorted(path.stem for path in (CONFIG / "encoders").glob("*.yaml"))
        cards = [named_card(option)] if option else map(small_card, names)
        cards = [card for card in cards if card.source != "none"]
        metafunc.parametrize("any_card", cards, ids=lambda card: card.name, scope="module")


@pytest.fixture(name="small_card", scope="session")
def card_maker():
    return small_card


@pytest.fixture(scope="session")
def protocol():
    """Few and small slices, where a card leaves their size to the run."""
    return Imaging(evaluation_shape=(4, 64, 64))


@pytest.fixture(scope="session")
def build():
    """Return a function that builds an encoder in float32, untrained unless its file is there."""

    def build(card, weights=None, preset="native", **options):
        config = Config(
            datasets=[], tasks=[], encoders=[], weights_root=os.environ.get("BRAINDINO_WEIGHTS")
        )
        weights = weights or weights_file(config, card)
        features = Features(preset=preset)
        return build_encoder(card, weights, features, CPU, **{"bf16": False} | options)

    return build


@pytest.fixture(scope="session")
def brain():
    """A lopsided ellipsoid of RAS+ intensities that fills its box, [x, y, z], and its affine."""
    rng = np.random.default_rng(0)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (44, 52, 40)), indexing="ij")
    inside = x**2 + y**2 + z**2 <= 1
    values = 300 + 80 * x + 60 * y - 40 * z + rng.normal(0, 20, x.shape)
    return np.where(inside, values, 0).round().astype(np.int16), np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture(scope="session")
def brains(brain):
    """Three brains that differ."""
    array, affine = brain
    return [(array, affine), (array[:30], affine), (array[4:, 6:], affine)]


@pytest.fixture(scope="session")
def see(protocol):
    """Return a function that turns brains into an encoder's volumes."""

    def see(encoder, brains):
        return torch.stack(
            [encoder_input(array, affine, encoder.view, protocol) for array, affine in brains]
        )

    return see
