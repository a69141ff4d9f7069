"""Print a task's results as the paper's supplementary table."""

import pandas as pd

from braindino.files import write_table, write_text
from braindino.log import job_log
from braindino.reporting.formats import to_latex, to_markdown
from braindino.reporting.grids import grid
from braindino.reporting.labels import labels
from braindino.reporting.tables import result_rows
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    card = run.tasks[snakemake.params.task]
    names = labels(run, pd.read_csv(snakemake.input.availability))
    statistics = (
        pd.read_parquet(snakemake.input[key]) for key in ("metrics", "comparisons", "subsets")
    )
    rows = result_rows(card, *statistics, names)
    printed = grid(rows, card, names)
    write_table(rows, snakemake.output.csv)
    write_text(to_markdown(printed), snakemake.output.md)
    write_text(to_latex(printed, card.table or card.name), snakemake.output.tex)
