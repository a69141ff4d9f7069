"""Fingerprint the volumes of one cohort."""

import pandas as pd

from braindino.corpus.fingerprint import fingerprint_volumes
from braindino.files import write_table
from braindino.log import job_log

with job_log(snakemake.log[0]):
    manifest = pd.read_parquet(snakemake.input[0])
    write_table(fingerprint_volumes(manifest), snakemake.output[0])
