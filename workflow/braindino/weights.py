"""Weight files of vision transformers: timm's layout and that of the released DINO checkpoints."""

from timm.models import create_model, eva, vision_transformer

from braindino.errors import BadInput
from braindino.tensors import load_state, only_tensors, read_file, read_tensors

HEADS = ("dino_head.", "ibot_head.")
MISFIT = "does not fit the encoder's architecture"


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
    state = _backbone(read_file(path), path)
    mask_token = state.get("mask_token")
    module = eva if isinstance(vit, eva.Eva) else vision_transformer
    state = _without_idle_biases(state, vit, path)
    load_state(vit, module.checkpoint_filter_fn(state, vit), f"{path}: {MISFIT}")
    return None if mask_token is None else mask_token.flatten()


def load_pretrained(weights, architecture, arguments):
    """Load the encoder that this project pretrains from its safetensors file.

    Raises
    ------
    BadInput
        When a key is missing, unexpected or of another shape.
    """
    network = create_model(architecture, **arguments, num_classes=0)
    load_state(network, read_tensors(weights), f"{weights}: {MISFIT}")
    return network


def _backbone(content, path):
    if isinstance(content, dict):
        content = content.get("teacher", content)
    content = only_tensors(content, path)
    if not any(key.startswith("backbone.") for key in content):
        return content
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
