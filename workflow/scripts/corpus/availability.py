"""Write the availability table."""

import pandas as pd

from braindino.corpus.availability import Availability
from braindino.files import write_table
from braindino.log import job_log

with job_log(snakemake.log[0]):
    table = pd.DataFrame(snakemake.params.rows, columns=Availability._fields)
    write_table(table, snakemake.output[0])
