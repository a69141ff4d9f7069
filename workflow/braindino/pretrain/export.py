"""The encoder that pretraining leaves behind: the teacher, in timm's and in DINOv3's key layout."""

import json
from pathlib import Path

import torch
from safetensors.torch import save

from braindino.code import git_commit
from braindino.files import sha256, written_whole
from braindino.pretrain.layout import dinov3_state


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
        "licence": _licence(recipe),
        "recipe": recipe.model_dump(mode="json"),
    }


def _licence(recipe):
    start = f"recipe {recipe.continues}'s" if recipe.continues else f"{recipe.model.init}"
    terms = "the terms of the cohorts under data.datasets"
    if start != "random":
        terms += f" and of the weights it started from ({start})"
    return f"Trained from {start} weights by this run; use and redistribution are bound by {terms}."
