"""Set the paper's numbers and claims beside this run's."""

import pandas as pd

from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.reporting.claims import judge_claims
from braindino.reporting.labels import labels
from braindino.reporting.reproduction import reproduction
from braindino.reporting.results import Results, united
from braindino.reporting.style import save_figure
from braindino.reporting.summary import by_task, scatter
from braindino.settings.load import restore_run

ROOMS = ("metrics", "comparisons", "robustness", "robustness_comparisons", "cka")

with job_log(snakemake.log[0]):
    run, made = restore_run(snakemake.params.run), snakemake.output
    availability = pd.read_csv(snakemake.input.availability)
    found = united(*(concat_tables(snakemake.input.get(name, []), []) for name in ROOMS))
    config = run.config
    results = Results(*found, run.tasks, availability, config.statistics.alpha)
    rows = reproduction(pd.read_csv(snakemake.input.published), results, config.is_demo)
    claims = judge_claims(pd.read_csv(snakemake.input.claims), results, config.is_demo)
    write_table(rows, made.rows)
    write_table(claims, made.claims)
    write_table(by_task(rows, claims), made.summary)
    save_figure(scatter(rows, labels(run, availability)), made.png, made.pdf, made.svg)
