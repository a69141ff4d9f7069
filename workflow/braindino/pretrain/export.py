"""The encoder that pretraining leaves behind: the teacher, in timm's and in DINOv3's key layout."""

import json
from pathlib import Path

import torch
from safetensors.torch import save

from braindino.code import git_commit
from braindino.files import sha256, written_whole

# Our names, those of the released DINOv3.
RENAMED = {
    "backbone.vit.": "backbone.",
    ".reg_token": ".storage_tokens",
    ".gamma_1": ".ls1.gamma",
    ".gamma_2": ".ls2.gamma",
    ".prototypes.": ".last_layer.",
}


def export_encoder(run, slices, folder):
    """Write `encoder.safetensors`, its card `encoder.json`, and `teacher_checkpoint.pth`.

    The first holds the backbone and loads, every key accounted for, into
    `timm.create_model(card["architecture"], num_classes=0, **card["arguments"])`. The last holds
    backbone and heads in the layout of the released DINOv3.

    Parameters
    ----------
    run : Run
        A finished run.
    slices : Slices
        What it was trained on.
    folder : path
        Where the files go.

    Returns
    -------
    dict
        The card.
    """
    weights = Path(folder) / "encoder.safetensors"
    state = run.teacher.backbone.vit.state_dict()
    with written_whole(weights) as part:
        # Not by save_file, whose files nobody but their owner may read.
        part.write_bytes(save({key: tensor.cpu().contiguous() for key, tensor in state.items()}))
    with written_whole(Path(folder) / "teacher_checkpoint.pth") as part:
        torch.save({"teacher": dinov3_state(run.teacher)}, part)
    card = _card(run, slices) | {"sha256": sha256(weights)}
    with written_whole(Path(folder) / "encoder.json") as part:
        part.write_text(json.dumps(card, indent=2) + "\n")
    return card


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


def _card(run, slices):
    recipe = run.recipe
    return {
        "name": recipe.name,
        "title": recipe.title,
        "architecture": recipe.model.architecture,
        "arguments": recipe.model.arguments,
        "iterations": run.iteration,
        "seed": run.seed,
        "commit": git_commit(),
        "data": {
            "datasets": slices.datasets,
            "volumes": slices.volumes,
            "slices": len(slices),
        },
        "licence": _licence(recipe.model.init),
        "recipe": recipe.model_dump(mode="json"),
    }


def _licence(init):
    terms = "the terms of the cohorts under data.datasets"
    if init != "random":
        terms += f" and of the weights it started from ({init})"
    return f"Trained from {init} weights by this run; use and redistribution are bound by {terms}."
