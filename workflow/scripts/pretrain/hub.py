"""Write the folder that a model hub takes."""

import json
from pathlib import Path

from braindino.log import job_log
from braindino.pretrain.hub import write_hub_folder

with job_log(snakemake.log[0]):
    card = json.loads(Path(snakemake.input.card).read_text())
    folder = Path(snakemake.output[0]).parent
    write_hub_folder(snakemake.input.encoder, card, snakemake.params.phantoms, folder)
