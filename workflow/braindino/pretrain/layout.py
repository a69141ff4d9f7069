"""The key layout of the released DINOv3: backbone and heads of a network, written and read."""

import torch

from braindino.errors import BadInput
from braindino.tensors import load_state, only_tensors, read_file

# Our names, those of the released DINOv3.
RENAMED = {
    "backbone.vit.": "backbone.",
    ".reg_token": ".storage_tokens",
    ".gamma_1": ".ls1.gamma",
    ".gamma_2": ".ls2.gamma",
    ".prototypes.": ".last_layer.",
}


def dinov3_state(network):
    """Return the weights of a network on the CPU under the keys of the released DINOv3.

    Its backbones with learned positions keep timm's names, which are DINOv2's.
    """
    state = {_renamed(key): tensor.cpu() for key, tensor in network.state_dict().items()}
    state["backbone.mask_token"] = state["backbone.mask_token"][None]
    if rope := getattr(network.backbone.vit, "rope", None):
        state["backbone.rope_embed.periods"] = rope.periods.cpu()
    return state


def _renamed(key):
    for ours, theirs in RENAMED.items():
        key = key.replace(ours, theirs)
    return key


def load_dinov3_state(network, path):
    """Load a file that holds what `dinov3_state` returns, under `teacher`, every key accounted for.

    Raises
    ------
    BadInput
        When the file cannot be read, or is not of this network.
    """
    content = read_file(path)
    if not isinstance(content, dict) or "teacher" not in content:
        raise BadInput(f"{path}: holds no 'teacher'; give the teacher_checkpoint.pth of a run.")
    teacher = only_tensors(content["teacher"], path)
    ours = {_renamed(key): key for key in network.state_dict()}
    state = {ours.get(key, key): tensor for key, tensor in teacher.items()}
    state.pop("backbone.rope_embed.periods", None)
    mask_token = state.get("backbone.mask_token", torch.empty(0))
    state["backbone.mask_token"] = mask_token.flatten()
    load_state(network, state, f"{path}: does not fit the recipe's networks")
