"""Segment the test cases with the networks of an encoder, and score them."""

from pathlib import Path

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.files import write_table
from braindino.log import job_log
from braindino.segmentation.environment import nnunet_environment
from braindino.segmentation.evaluation import score_cases
from braindino.segmentation.names import percent
from braindino.segmentation.prediction import predict
from braindino.settings.cards import Regions, TaskCard
from braindino.settings.segmentation import Segmentation

if __name__ == "__main__":  # nnU-Net's processes import this file again
    with job_log(snakemake.log[0]):
        params, threads = snakemake.params, snakemake.threads
        torch.set_num_threads(threads)
        processes = threads // 2 if threads > 2 else 0
        nnunet_environment(params.root, processes)
        protocol, device = Segmentation(**params.protocol), choose_device(params.device)
        card = TaskCard(**params.card)
        regions = {name: Regions(**values) for name, values in params.regions.items()}
        cases = pd.read_parquet(snakemake.input.cases).query("split == 'test'")
        images, tables = Path(snakemake.input.raw, "imagesTr"), []
        for ratio, checkpoint in zip(params.ratios, snakemake.input.checkpoints, strict=True):
            folder, model = Path(params.folder, percent(ratio)), Path(checkpoint).parents[1]
            predict(model, images, list(cases["case"]), folder, protocol, device, processes)
            tables.append(score_cases(card, params.encoder, ratio, cases, folder, regions))
        write_table(pd.concat(tables, ignore_index=True), snakemake.output[0])
