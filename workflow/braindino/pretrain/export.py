"""The encoder that pretraining leaves behind: the teacher's backbone in timm's key layout."""

import json
from pathlib import Path

from safetensors.torch import save_file

from braindino.files import sha256, written_whole

LICENCE = (
    "Trained from random weights by this run; use and redistribution are bound by the terms of "
    "the cohorts under data.datasets."
)


def export_encoder(run, slices, folder):
    """Write `encoder.safetensors` and its card `encoder.json`.

    The weights load, every key accounted for, into
    `timm.create_model(card["architecture"], num_classes=0, **card["arguments"])`.

    Parameters
    ----------
    run : Run
        A finished run.
    slices : Slices
        What it was trained on.
    folder : path
        Where both files go.

    Returns
    -------
    dict
        The card.
    """
    weights = Path(folder) / "encoder.safetensors"
    state = run.teacher.backbone.vit.state_dict()
    with written_whole(weights) as part:
        save_file({key: tensor.cpu().contiguous() for key, tensor in state.items()}, part)
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
        "data": {
            "datasets": slices.datasets,
            "volumes": slices.volumes,
            "slices": len(slices),
        },
        "licence": LICENCE,
        "recipe": recipe.model_dump(mode="json"),
    }
