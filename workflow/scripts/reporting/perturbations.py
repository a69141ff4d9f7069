"""Draw a slice under every perturbation."""

import numpy as np

from braindino.log import job_log
from braindino.reporting.labels import PHANTOMS
from braindino.reporting.perturbations import severity_figure
from braindino.reporting.style import save_figure

with job_log(snakemake.log[0]):
    given = np.load(snakemake.input[0])
    demo = PHANTOMS if snakemake.params.phantom else ""
    kinds, severities = given["kinds"].tolist(), given["severities"].tolist()
    figure = severity_figure(given["slices"], kinds, severities, demo)
    save_figure(figure, *snakemake.output, dpi=150)
