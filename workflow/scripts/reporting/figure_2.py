"""Draw Figure 2."""

import pandas as pd

from braindino.files import concat_tables
from braindino.log import job_log
from braindino.paths import Paths
from braindino.reporting.contours import median_case, read_contours
from braindino.reporting.figure_2 import figure_2
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.segmentation.evaluation import KEYS
from braindino.segmentation.names import percent
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    paths, reference, slices = Paths(run.config.run), run.config.statistics.reference, []
    predictions = concat_tables(snakemake.input.predictions, KEYS)
    ratio = predictions["ratio"].max()
    for file, (task, own) in zip(
        snakemake.input.cases, predictions.groupby("task", sort=False), strict=True
    ):
        dataset = run.datasets[run.tasks[task].datasets[0]]
        cases = pd.read_parquet(file).set_index("volume_id")
        case = cases.loc[median_case(own[own["encoder"] == reference])]
        drawn = {
            encoder: paths.segmentation(task, encoder, percent(ratio), f"{case['case']}.nii.gz")
            for encoder in own["encoder"].unique()
        }
        slices.append(read_contours(dataset.name, case, dataset.regions, drawn))
    names = labels(run, pd.read_csv(snakemake.input.availability))
    save_figure(figure_2(slices, names, ratio), *snakemake.output)
