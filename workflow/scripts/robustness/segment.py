"""Segment the perturbed test cases of one task with the network of one encoder, and score them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.files import write_table
from braindino.log import job_log
from braindino.robustness.change import Change
from braindino.robustness.segment import write_perturbed
from braindino.segmentation.environment import nnunet_environment
from braindino.segmentation.evaluation import score_cases
from braindino.segmentation.prediction import predict
from braindino.settings.cards import Regions, TaskCard
from braindino.settings.segmentation import Segmentation

if __name__ == "__main__":  # nnU-Net's processes import this file again
    with job_log(snakemake.log[0]):
        given, params, threads = snakemake.input, snakemake.params, snakemake.threads
        torch.set_num_threads(threads)
        processes = threads // 2 if threads > 2 else 0
        nnunet_environment(params.root, processes)
        protocol, device = Segmentation(**params.protocol), choose_device(params.device)
        card, encoder = TaskCard(**params.card), snakemake.wildcards.encoder
        regions = {name: Regions(**values) for name, values in params.regions.items()}
        cases = pd.read_parquet(given.cases).query("split == 'test'")
        clean, model = pd.read_parquet(given.predictions), Path(given.checkpoint[0]).parents[1]
        tables = [clean[clean["ratio"] == params.ratio].assign(condition="clean")]
        for condition in params.conditions:
            folder = Path(params.folder, condition)
            with TemporaryDirectory() as images:
                changed = write_perturbed(cases, Change.of(condition, params.seed), images)
                names = list(cases["case"])
                predict(model, images, names, folder, protocol, device, processes)
                made = score_cases(card, encoder, params.ratio, changed, folder, regions)
            tables.append(made.assign(condition=condition))
        write_table(pd.concat(tables, ignore_index=True), snakemake.output[0])
