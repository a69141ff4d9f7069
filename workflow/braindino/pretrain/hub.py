"""A folder that a model hub takes as it is: weights, configuration and model card."""

import json
import shutil
from pathlib import Path

import timm

from braindino.files import write_text

README = """\
---
library_name: timm
license: other
license_name: see-licence-below
tags: [image-feature-extraction, medical, mri, brain]
---
# {title}

A vision transformer (`{architecture}`), pretrained by self-distillation on axial slices of brain
MRI with the software braindino{commit}, which reproduces BrainDINO (Wu et al. 2026,
arXiv:2604.27277). For research, not for clinical use.{demo}

## Use

```python
import timm

encoder = timm.create_model("hf-hub:<owner>/<name>", pretrained=True).eval()
features = encoder(slices)  # [batch, {channels}, {size}, {size}] to class tokens [batch, {dim}]
```

From a copy of this folder: `timm.create_model("local-dir:<folder>", pretrained=True)`. Volumes are
skull-stripped, clipped to percentiles and z-scored over their non-zero voxels (section 4.1.2 of the
paper), without ImageNet's mean and deviation; {grey}.

## Training

Recipe `{name}`, {iterations:,} iterations from {init}, seed {seed}, on {slices:,} slices of
{volumes:,} volumes of {datasets}. The whole recipe is in `encoder.json`.

## Licence

{licence}
"""


GREY = {  # what a network takes where it wants three channels, by the recipe's views.channels
    "slice": "a grey slice is repeated over the channels",
    "neighbours": "the channels are three slices in sequence",
    "contrasts": "the channels are three contrasts of a slice, or three slices in sequence",
}


def write_hub_folder(weights, card, phantoms, folder):
    """Write `model.safetensors`, `config.json`, `encoder.json` and `README.md`.

    `timm.create_model("local-dir:<folder>", pretrained=True)` loads the folder, and "hf-hub:" its
    copy on a hub; the model returns class tokens.

    Parameters
    ----------
    weights : path
        `encoder.safetensors`.
    card : dict
        Its card, `encoder.json`.
    phantoms : list of str
        Cohorts that a demo made up, which the model card says.
    folder : path
        Made where it is absent.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(weights, folder / "model.safetensors")
    config = hub_config(card)
    for name, values in (("config", config), ("encoder", card)):
        write_text(json.dumps(values, indent=2) + "\n", folder / f"{name}.json")
    write_text(_model_card(card, config, phantoms), folder / "README.md")


def hub_config(card):
    """Return timm's configuration of a published model: how to build it, and what it takes in."""
    arguments = card["arguments"] | {"global_pool": "token"}
    network = timm.create_model(card["architecture"], num_classes=0, **arguments)
    size = card["recipe"]["views"]["global_sizes"][0]
    return {
        "architecture": card["architecture"],
        "num_classes": 0,
        "num_features": network.num_features,
        "model_args": arguments,
        "pretrained_cfg": {
            "tag": card["name"],
            "input_size": [network.patch_embed.proj.in_channels, size, size],
            "fixed_input_size": False,
            "num_classes": 0,
            "mean": [0.0, 0.0, 0.0],
            "std": [1.0, 1.0, 1.0],
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "first_conv": "patch_embed.proj",
            "classifier": "head",
            "license": "other",
        },
    }


def _start(recipe):
    init = recipe["model"]["init"]
    if recipe["continues"]:
        return f"the weights of recipe `{recipe['continues']}`"
    return "random weights" if init == "random" else f"published weights ({init['file']})"


def _model_card(card, config, phantoms):
    channels, size, _ = config["pretrained_cfg"]["input_size"]
    recipe = card["recipe"]
    phantoms = [name for name in card["data"]["datasets"] if name in phantoms]
    demo = f"\n\n**A demo, of no use: {', '.join(phantoms)} are phantoms.**"
    values = card | {
        "channels": channels,
        "size": size,
        "dim": config["num_features"],
        "init": _start(recipe),
        "grey": GREY[recipe["views"]["channels"]],
        "commit": f" (commit {card['commit']})" if card["commit"] else "",
        "demo": demo if phantoms else "",
        **card["data"],
        "datasets": ", ".join(card["data"]["datasets"]),
    }
    return README.format(**values)
