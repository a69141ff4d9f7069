"""Draw Figure 2."""

import pandas as pd

from braindino.log import job_log
from braindino.reporting.contours import median_case, read_contours
from braindino.reporting.figure_2 import figure_2
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.segmentation.names import percent
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run, params = restore_run(snakemake.params.run), snakemake.params
    slices = []
    for task, cases, predictions in zip(
        params.tasks, snakemake.input.cases, snakemake.input.reference, strict=True
    ):
        dataset = run.datasets[run.tasks[task].datasets[0]]
        cases = pd.read_parquet(cases).set_index("volume_id")
        case = cases.loc[median_case(pd.read_parquet(predictions))]
        file = f"{percent(params.ratio)}/{case['case']}.nii.gz"
        drawn = {name: f"{params.folder}/{task}/{name}/{file}" for name in params.encoders}
        slices.append(read_contours(dataset.name, case, dataset.regions, drawn))
    names = labels(run, pd.read_csv(snakemake.input.availability))
    save_figure(figure_2(slices, names, params.ratio), *snakemake.output)
