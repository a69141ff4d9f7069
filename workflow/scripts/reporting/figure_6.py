"""Draw Figure 6."""

import numpy as np
import pandas as pd

from braindino.files import concat_tables
from braindino.log import job_log
from braindino.reporting.figure_6 import figure_6, knn_rows
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.representation import alignment
from braindino.settings.load import restore_run
from braindino.statistics import comparisons, metrics

with job_log(snakemake.log[0]):
    given, run = snakemake.input, restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(given.availability))
    pictures = next((dict(np.load(path)) for path in given.pictures), None)
    aucs = next((pd.read_parquet(path) for path in given.aucs), None)
    scores = concat_tables(given.get("metrics", []), metrics.COLUMNS)
    tests = concat_tables(given.get("comparisons", []), comparisons.COLUMNS)
    knn = knn_rows(scores, tests, run.tasks.values())
    cka = concat_tables(given.get("cka", []), alignment.COLUMNS)
    save_figure(figure_6(pictures, aucs, knn, cka, names), *snakemake.output)
