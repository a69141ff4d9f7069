"""Write all that the report rests on as one JSON file."""

from pathlib import Path

from braindino.files import read_table, write_text
from braindino.log import job_log
from braindino.reporting.provenance import code_version
from braindino.reporting.results_json import results_json
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    tables = {Path(path).stem: read_table(path) for path in snakemake.input}
    text = results_json(run, tables, code_version(snakemake.params.code))
    write_text(text, snakemake.output[0])
