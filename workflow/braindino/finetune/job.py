"""Fine-tuning of a task from its files, on one process or on several."""

import json
from pathlib import Path

import pandas as pd

from braindino.device import choose_device
from braindino.files import write_table
from braindino.finetune.finetune import finetune, volume_loader
from braindino.pretrain.distributed import Ranks
from braindino.weights import load_pretrained


def finetune_files(files, out, card, reference, settings, imaging, folder, bins, seed, device):
    """Fine-tune a task's networks, and write their predictions.

    Every process of a group that `braindino.pretrain.launch` started calls this; the first writes.

    Parameters
    ----------
    files : dict
        Paths: split, subsets, weights and made (the encoder's card); indices and folders, lists,
        of the stripped brains.
    out : path
        Table of predictions.
    reference : str
        Name of the encoder.
    imaging : braindino.settings.imaging.Imaging
    device : str
        Of several GPUs each process takes its own.
    others
        As those of `braindino.finetune.finetune.finetune`.
    """
    made = json.loads(Path(files["made"]).read_text())
    volumes = {
        row.volume_id: Path(folder, row.file)
        for index, folder in zip(files["indices"], files["folders"], strict=True)
        for row in pd.read_parquet(index).itertuples()
    }
    split = pd.read_parquet(files["split"])
    with Ranks() as ranks:
        predictions = finetune(
            card,
            reference,
            lambda: load_pretrained(files["weights"], made["architecture"], made["arguments"]),
            volume_loader(volumes, imaging),
            split[split["volume_id"].isin(volumes)].reset_index(drop=True),
            pd.read_parquet(files["subsets"]),
            settings,
            folder,
            bins,
            seed,
            choose_device(device, ranks.local),
        )
        if ranks.leads:
            write_table(predictions, out)
