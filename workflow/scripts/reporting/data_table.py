"""Print a table of the data: S2, cohorts and splits; S5, tumour regions."""

import pandas as pd

from braindino.files import write_table, write_text
from braindino.log import job_log
from braindino.reporting import data_tables
from braindino.reporting.formats import to_latex, to_markdown
from braindino.reporting.labels import labels
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run, number = restore_run(snakemake.params.run), snakemake.params.number
    names = labels(run, pd.read_csv(snakemake.input.availability))
    if number == "s2":
        audits = (pd.read_csv(snakemake.input[name]) for name in ("coverage", "splits"))
        rows, titles = data_tables.split_table(*audits, run.tasks), data_tables.SPLITS
        text = (
            "Cohorts and splits",
            "Train and test: subjects (volumes), the first split of several.",
        )
    else:
        cards = {name: run.datasets[name] for name in snakemake.params.cohorts}
        rows, titles = data_tables.region_table(cards), data_tables.REGIONS
        text = "Tumour regions", "Values of a cohort's label maps that make up each region."
    heading = f"Table {number.upper()}. {text[0]}"
    printed = data_tables.data_grid(rows, titles, heading, text[1], names)
    write_table(rows, snakemake.output.csv)
    write_text(to_markdown(printed), snakemake.output.md)
    write_text(to_latex(printed, number), snakemake.output.tex)
