"""What nnU-Net calls things: data sets, plans, configurations and folders of networks."""

from pathlib import Path

TRAINER = "BrainDINOTrainer"
FOLD = 0  # of the split that this project makes, which is nnU-Net's own fold 0 (§4.3.1)


def dataset_name(card):
    """Name a task's data set, e.g. Dataset137_BraTS2021."""
    return f"Dataset{card.nnunet_id:03d}_{'_'.join(card.datasets)}"


def percent(ratio):
    """Write a label ratio as three digits, e.g. 010."""
    return f"{round(100 * ratio):03d}"


def plan_name(encoder, ratio):
    """Name the plans of an encoder and ratio, e.g. braindino_010."""
    return f"{encoder}_{percent(ratio)}"


def configuration_of(card):
    """Name the configuration of an encoder."""
    return "2d" if len(card.segmentation.size) == 2 else "3d_fullres"


def model_name(card, ratio, suffix=""):
    """Name the folder in which a trained network is kept, which predicts and can be exported."""
    return f"{TRAINER}__{plan_name(card.name + suffix, ratio)}__{configuration_of(card)}"


def checkpoint_file(model, kind="final"):
    """Return the checkpoint of a network's folder."""
    return Path(model, f"fold_{FOLD}", f"checkpoint_{kind}.pth")
