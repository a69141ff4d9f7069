"""Print results as one of the paper's supplementary tables."""

import pandas as pd

from braindino.files import concat_tables, write_table, write_text
from braindino.log import job_log
from braindino.reporting.catalogue import Table
from braindino.reporting.conditions import as_strata
from braindino.reporting.formats import to_latex, to_markdown
from braindino.reporting.grids import grid
from braindino.reporting.labels import labels
from braindino.reporting.tables import table_rows
from braindino.settings.load import restore_run
from braindino.statistics import comparisons, metrics

with job_log(snakemake.log[0]):
    run, table = restore_run(snakemake.params.run), Table(*snakemake.params.table)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    statistics = [
        as_strata(concat_tables(snakemake.input[name], room.COLUMNS))
        for name, room in (("metrics", metrics), ("comparisons", comparisons))
    ]
    subsets = pd.concat(map(pd.read_parquet, snakemake.input.subsets), ignore_index=True)
    rows = table_rows(table, run.tasks, *statistics, subsets, names)
    printed = grid(rows, table, run.tasks, names)
    write_table(rows, snakemake.output.csv)
    write_text(to_markdown(printed), snakemake.output.md)
    write_text(to_latex(printed, table.number), snakemake.output.tex)
