"""Set the paper's numbers beside this run's."""

import pandas as pd

from braindino.files import write_table
from braindino.log import job_log
from braindino.reporting.reproduction import reproduction
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    table = reproduction(
        pd.read_csv(snakemake.input.published),
        pd.read_parquet(snakemake.input.metrics),
        pd.read_parquet(snakemake.input.comparisons),
        run.tasks,
        pd.read_csv(snakemake.input.availability),
        demo=run.config.is_demo,
        alpha=run.config.statistics.alpha,
    )
    write_table(table, snakemake.output[0])
