"""Full fine-tuning of a task: a network a label subset, predictions as those of the heads."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch

from braindino.errors import BadInput
from braindino.finetune.network import VolumeNetwork
from braindino.finetune.train import Finetuning
from braindino.imaging.normalise import axial_slices
from braindino.probes.predictions import predict
from braindino.probes.probe import label_draws
from braindino.probes.subsets import head_key, shuffle_targets
from braindino.probes.targets import head_loss
from braindino.seeds import derive_seed
from braindino.settings.finetune import SUFFIX


def finetune(card, encoder, make, load, table, subsets, settings, folder, bins, seed, device):
    """Fine-tune a task's networks and predict its test volumes.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    encoder : str
        Name of the encoder.
    make : function
        Returns the pretrained encoder, a fresh copy each time.
    load : function
        Returns the slices of a volume_id, Tensor [n, height, width].
    table : DataFrame
        The task's split, limited to volumes that there are.
    subsets : DataFrame
        corpus/label_subsets/<task>.parquet.
    settings : (Finetune, Probes)
        The protocol of fine-tuning, and the task's own of heads.
    folder : Path
        Of the checkpoints, one a label subset: a run that was interrupted goes on.
    bins, seed : int
    device : torch.device

    Returns
    -------
    DataFrame
        As `braindino.probes.predictions.predictions`, of the encoder `<encoder>_full_ft`.

    Raises
    ------
    BadInput
        For a task that fuses contrasts, reads patch tokens, is oversampled or of survival: the
        paper fine-tunes none of them.
    """
    refused = {
        "fusion": card.fusion,
        "tokens: patch": card.tokens == "patch",
        "oversample": card.oversample,
        "kind: survival": card.kind == "survival",
    }
    if what := next((name for name, given in refused.items() if given), None):
        raise BadInput(f"config/tasks/{card.name}.yaml: a task with {what} cannot be fine-tuned.")
    tuned, protocol = settings
    if protocol.shuffle_labels:
        table = shuffle_targets(table, seed)
    wanted = subsets["ratio"].isin(tuned.ratios) & (subsets["seed"] < tuned.seeds)
    draws, _ = label_draws(card, table, subsets[wanted], protocol, bins, seed)
    volume = table["volume_id"].to_numpy()
    frames = []
    for draw in draws:
        key = head_key(*draw[:3])
        own = derive_seed(seed, card.name, encoder, *key, "finetune")
        network = _network(card, make, protocol, own).to(device)
        run = Finetuning(
            network, lambda place: load(volume[place]), head_loss(card), tuned, protocol
        )
        run.fit(draw, Path(folder, "-".join(map(str, key)) + ".pt"), own)
        frames.append(_predictions(card, encoder, table, draw, run))
    return pd.concat(frames, ignore_index=True)


def volume_loader(files, protocol):
    """Return a function that reads a volume's normalised slices.

    Parameters
    ----------
    files : dict
        volume_id → path of the stripped, cropped volume.
    protocol : braindino.settings.imaging.Imaging
    """

    def load(volume_id):
        brain = np.asanyarray(nib.load(files[volume_id]).dataobj)
        return axial_slices(brain, protocol.evaluation_shape, protocol)

    return load


def _network(card, make, protocol, seed):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        outputs = len(card.classes) if card.classes else 1
        return VolumeNetwork(make(), protocol.hidden, outputs, protocol.dropout)


def _predictions(card, encoder, table, draw, run):
    """Predict the test volumes, and those on which a gap's or a risk's baseline rests."""
    test = np.flatnonzero((table["fold"] == draw.fold) & (table["split"] == "test"))
    known = draw.validate if card.kind == "regression" else draw.labelled
    places = test if card.kind == "classification" else np.union1d(test, known)
    outputs = run.predict(places)
    whole = torch.full((len(table), outputs.shape[1]), float("nan"))
    whole[places] = outputs
    return predict(card, encoder + SUFFIX, table, draw, whole)
