"""From a card to its encoder: build the network, load its weights, freeze it."""

import importlib
import json
import logging
import sys
from difflib import get_close_matches
from pathlib import Path

import torch

from braindino.encoders.encoder import Encoder
from braindino.encoders.loading import load_weights
from braindino.errors import BadInput
from braindino.seeds import derive_seed
from braindino.settings.encoders import Weights

log = logging.getLogger(__name__)
CARDS = "config/encoders"  # a card's class may be in a module beside it


def build_encoder(card, weights, features, device, batch=None, seed=0, bf16=None):
    """Build a frozen encoder.

    Parameters
    ----------
    card : braindino.settings.encoders.EncoderCard
    weights : path or None
        The published file; of a recipe's encoder, what pretraining wrote, its `encoder.json`
        beside it. None leaves seeded random weights, which whoever names it must say.
    features : braindino.settings.encoders.Features
    device : torch.device
    batch : int, optional
        See `Encoder`, as for `bf16`.
    seed : int
    bf16 : bool, optional

    Returns
    -------
    braindino.encoders.encoder.Encoder

    Raises
    ------
    BadInput
        When the network cannot be built or the weights do not fit it.
    """
    if card.source == "recipe":
        card = recipe_card(card, weights)
    network = build_network(card, seed)
    if weights:
        load_weights(network, weights, card.name, card.weights)
    elif card.weights or card.untrained:
        log.warning("%s: random weights", card.title)
    view = card.input.view(features.preset)
    return Encoder(network, card, view, device, batch, features.axial_range, bf16)


def build_network(card, seed):
    """Build the untrained network of a card; its random weights depend on name and seed alone.

    Raises
    ------
    BadInput
        When there is no such architecture, or it refuses its arguments.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, card.name, "weights"))
        try:
            if card.source == "timm":
                return _timm_model(card)
            return _class_of(card)(**card.arguments)
        except BadInput:
            raise
        except (TypeError, ValueError, RuntimeError) as error:
            raise BadInput(
                f"encoder {card.name}: {card.architecture} refuses its 'arguments': {error}"
            ) from error


def recipe_card(card, weights):
    """Complete the card of this run's own encoder by what its pretraining wrote down."""
    made = json.loads(Path(weights).with_suffix(".json").read_text())
    file = Weights(file=Path(weights).name, how_to_get="run `snakemake pretrain` again.")
    channels = made.get("recipe", {}).get("views", {}).get("channels", "slice")
    card = card.trained_by(made["architecture"], made["arguments"], channels)
    return card.model_copy(update={"weights": file})


def _timm_model(card):
    import timm  # slow to import, and not every encoder's

    if not timm.is_model(card.architecture):
        close = get_close_matches(card.architecture, timm.list_models(), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise BadInput(f"encoder {card.name}: timm has no model '{card.architecture}'{hint}")
    return timm.create_model(card.architecture, **{"num_classes": 0} | card.arguments)


def _class_of(card):
    """Import the class of a card, from the environment or from a module beside the cards."""
    module, _, name = card.architecture.rpartition(".")
    if CARDS not in sys.path:
        sys.path.append(CARDS)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise BadInput(
            f"encoder {card.name}: '{card.architecture}' cannot be imported ({error}); name it as "
            f"package.module.Class, installed or in a module in {CARDS}."
        ) from error
