"""Draw what the pretrained encoder sees in slices."""

import numpy as np

from braindino.log import job_log
from braindino.reporting.labels import PHANTOMS
from braindino.reporting.patches import patch_figure
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    demo = PHANTOMS if run.config.phantoms else ""
    seen = np.load(snakemake.input[0])
    figure = patch_figure(
        seen["components"], seen["slices"], seen["titles"].tolist(), run.recipe.title, demo
    )
    save_figure(figure, *snakemake.output, dpi=150)
