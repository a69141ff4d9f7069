"""nnU-Net's plans: its own of a cohort, and one for each encoder and label ratio."""

import json
from pathlib import Path

from braindino.files import write_text
from braindino.segmentation.axes import Axes
from braindino.segmentation.names import configuration_of, plan_name
from braindino.segmentation.network import SegmentationNetwork
from braindino.settings.finetune import SUFFIX

OWN = "nnUNetPlans"  # nnU-Net's, of which the preprocessing is everybody's
SHARED = "3d_fullres"  # nnU-Net's configuration whose data its 2d reads as well, slice by slice
NETWORK = f"{SegmentationNetwork.__module__}.{SegmentationNetwork.__qualname__}"
KEY = "braindino"  # under which our trainer finds its own settings in the plans


def way_of(card, protocol):
    """Return how contrasts enter an encoder."""
    own = card.segmentation.native if protocol.preset == "native" else None
    return own or card.segmentation.channels


def write_plan(folder, card, weights, ratio, protocol, seed, frozen=True, key=""):
    """Write the plans of an encoder and ratio beside nnU-Net's own.

    Parameters
    ----------
    folder : path
        Of the preprocessed data set.
    card : braindino.settings.encoders.EncoderCard
    weights : path or None
    ratio : float
    protocol : braindino.settings.segmentation.Segmentation
    seed : int
    frozen : bool
        Otherwise the encoder is trained, too (§2.7).
    key : str
        What else the network depends on: a training is continued only under the same.

    Returns
    -------
    str
        Name of the plans.
    """
    name = plan_name(card.name + ("" if frozen else SUFFIX), ratio)
    plans = json.loads(Path(folder, f"{OWN}.json").read_text()) | {"plans_name": name}
    configuration = plans["configurations"][configuration_of(card)]
    configuration["data_identifier"] = plans["configurations"][SHARED]["data_identifier"]
    configuration["patch_size"] = Axes(card.input.native).size_of_patch(card.segmentation.size)
    flat = len(card.segmentation.size) == 2
    configuration["batch_size"] = protocol.batch_2d if flat else protocol.batch_3d
    configuration["architecture"] = {
        "network_class_name": NETWORK,
        "arch_kwargs": {
            "card": card.model_dump(mode="json"),
            "way": way_of(card, protocol),
            "frozen": frozen,
            "seed": seed,
        },
        "_kw_requires_import": [],
    }
    plans[KEY] = {
        "protocol": protocol.model_dump(mode="json"),
        "ratio": f"{ratio:g}",
        "seed": seed,
        "weights": weights and str(weights),
        "key": key,
    }
    write_text(json.dumps(plans, indent=1), Path(folder, f"{name}.json"))
    return name
