"""Write the folder that a model hub takes."""

import json
from pathlib import Path

from braindino.log import job_log
from braindino.pretrain.hub import write_hub_folder

with job_log(snakemake.log[0]):
    card = json.loads(Path(snakemake.input.card).read_text())
    phantoms, (folder,) = snakemake.params.phantoms, snakemake.output
    write_hub_folder(snakemake.input.encoder, card, phantoms, folder)
