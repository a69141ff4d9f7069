"""Fine-tune the pretrained encoder on one task, on every GPU of the job."""

import torch

from braindino.finetune.job import finetune_files
from braindino.log import job_log
from braindino.pretrain.launch import ProcessFailed, count_processes, launch
from braindino.settings.cards import TaskCard
from braindino.settings.finetune import Finetune
from braindino.settings.imaging import Imaging
from braindino.settings.probes import Probes

with job_log(snakemake.log[0], ProcessFailed):
    torch.set_num_threads(snakemake.threads)
    params, card = snakemake.params, TaskCard(**snakemake.params.card)
    one = {name: str(snakemake.input[name]) for name in ("split", "subsets", "weights", "made")}
    several = {name: list(map(str, snakemake.input[name])) for name in ("indices", "folders")}
    launch(
        params.processes or count_processes(params.device),
        snakemake.log[0],
        finetune_files,
        one | several,
        snakemake.output.predictions,
        card,
        params.reference,
        (Finetune(**params.finetune), Probes(**params.protocol).for_task(card)),
        Imaging(**params.imaging),
        params.checkpoints,
        params.bins,
        params.seed,
        params.device,
    )
