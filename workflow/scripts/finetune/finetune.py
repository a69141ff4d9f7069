"""Fine-tune the pretrained encoder on one task."""

import json
from pathlib import Path

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.files import write_table
from braindino.finetune.finetune import finetune, volume_loader
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.finetune import Finetune
from braindino.settings.imaging import Imaging
from braindino.settings.probes import Probes
from braindino.weights import load_pretrained

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, params = snakemake.input, snakemake.params
    card, made = TaskCard(**params.card), json.loads(Path(given.made).read_text())
    files = {
        row.volume_id: Path(folder, row.file)
        for index, folder in zip(given.indices, given.folders, strict=True)
        for row in pd.read_parquet(index).itertuples()
    }
    split = pd.read_parquet(given.split)
    predictions = finetune(
        card,
        params.reference,
        lambda: load_pretrained(given.weights, made["architecture"], made["arguments"]),
        volume_loader(files, Imaging(**params.imaging)),
        split[split["volume_id"].isin(files)].reset_index(drop=True),
        pd.read_parquet(given.subsets),
        (Finetune(**params.finetune), Probes(**params.protocol).for_task(card)),
        params.checkpoints,
        params.bins,
        params.seed,
        choose_device(params.device),
    )
    write_table(predictions, snakemake.output.predictions)
