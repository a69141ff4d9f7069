"""Align the reference encoder's features of one cohort with those of the others."""

import pandas as pd

from braindino.corpus.volumes import first_volumes
from braindino.encoders.features import read_features
from braindino.errors import BadInput
from braindino.files import write_table
from braindino.log import job_log
from braindino.representation.alignment import LAYERS, alignment, shared_rows

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    cohort = snakemake.wildcards.dataset
    manifest = pd.read_parquet(given.manifest)
    wanted = first_volumes(manifest, params.modalities, params.volumes)
    tables = {}
    for encoder, path in zip(params.encoders, given.features, strict=True):
        try:
            tables[encoder] = {layer: read_features([path], layer) for layer in LAYERS}
        except BadInput:  # a control without layers
            continue
    volumes, layers = shared_rows(tables, wanted)
    subjects = [name.rsplit("/", 2)[0] for name in volumes]
    common = subjects, cohort, params.bootstrap, params.seed
    write_table(alignment(layers, params.reference, *common), snakemake.output[0])
