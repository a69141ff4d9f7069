"""Weight files of vision transformers: timm's layout and that of the released DINO checkpoints."""

import pickle

from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import create_model, eva, load_state_dict, vision_transformer

from braindino.errors import BadInput
from braindino.files import sha256

UNREADABLE = (OSError, EOFError, RuntimeError, pickle.UnpicklingError, SafetensorError)
HEADS = ("dino_head.", "ibot_head.")


def load_weights(vit, path):
    """Load a file into a timm vision transformer, every key accounted for.

    Parameters
    ----------
    vit : timm.models.eva.Eva or timm.models.vision_transformer.VisionTransformer
    path : path
        safetensors, or a torch file without pickled code, in timm's layout or in that of the
        released DINOv2 and DINOv3 (whole training checkpoints under `teacher`, without their
        heads). timm adapts position and patch embeddings of other sizes.

    Returns
    -------
    Tensor [dim] or None
        The mask token, for which timm's models have no place; None where the file has none.

    Raises
    ------
    BadInput
        When the file cannot be read, or a key is missing, unexpected or of another shape.
    """
    state = _backbone(read_weights(path))
    mask_token = state.get("mask_token")
    module = eva if isinstance(vit, eva.Eva) else vision_transformer
    state = _without_idle_biases(state, vit, path)
    load_strictly(vit, module.checkpoint_filter_fn(state, vit), path)
    return None if mask_token is None else mask_token.flatten()


def load_pretrained(weights, architecture, arguments):
    """Load the encoder that this project pretrains from its safetensors file.

    Raises
    ------
    BadInput
        When a key is missing, unexpected or of another shape.
    """
    network = create_model(architecture, **arguments, num_classes=0)
    return load_strictly(network, load_file(weights), weights)


def load_strictly(network, state, path):
    """Load a state dict of which every key is accounted for; a partial load is a silent lie."""
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise BadInput(f"{path}: does not fit the encoder's architecture: {reason}") from error
    return network


def check_sum(path, weights, card):
    """Compare a file's checksum with the one on a card, where that gives one.

    Parameters
    ----------
    path : path
    weights : braindino.settings.encoders.Weights
    card : str
        The card's path, for the message.

    Raises
    ------
    BadInput
        When they differ.
    """
    if weights.sha256 and sha256(path) != weights.sha256:
        raise BadInput(
            f"{path}: its checksum is not the one in {card}; "
            f"download the file again: {weights.how_to_get}"
        )


def read_weights(path):
    """Read a safetensors or torch file, without running any code that it holds.

    Raises
    ------
    BadInput
        When it cannot be read.
    """
    try:
        return load_state_dict(str(path), device="cpu", weights_only=True)
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise BadInput(f"{path}: not a readable weight file ({reason}); get it again.") from error


def _backbone(content):
    content = content.get("teacher", content)
    if not any(key.startswith("backbone.") for key in content):
        return dict(content)
    return {
        key.removeprefix("backbone."): tensor
        for key, tensor in content.items()
        if not key.startswith(HEADS)
    }


def _without_idle_biases(state, vit, path):
    """Drop the zero biases of released DINOv3s; timm's filter would drop any, in silence."""
    if "storage_tokens" not in state or vit.blocks[0].attn.q_bias is not None:
        return state
    biases = {key for key in state if key.endswith("qkv.bias")}
    for key in biases:
        query, _, value = state[key].chunk(3)  # a key's bias cancels in the softmax
        if query.any() or value.any():
            raise BadInput(
                f"{path}: {key} is not zero; take timm's architecture whose name ends in _qkvb."
            )
    return {key: tensor for key, tensor in state.items() if key not in biases}
