"""Write the report."""

import json
from pathlib import Path

import pandas as pd

from braindino.corpus.manifest import REJECT_COLUMNS
from braindino.corpus.splits import SPLIT_COLUMNS, SUBSET_COLUMNS
from braindino.files import concat_tables, write_text
from braindino.log import job_log
from braindino.reporting.context import code_version, report_context
from braindino.reporting.html import data_uri, render_report
from braindino.reporting.labels import labels
from braindino.settings.load import restore_run

CSV = ("availability", "coverage", "leakage", "reproduction")


def listed(name):
    paths = snakemake.input.get(name, [])
    return [paths] if isinstance(paths, str) else list(paths)


def image(name):
    return next(map(data_uri, listed(name)), None)


with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    tables = {name: pd.read_csv(listed(name)[0]) for name in CSV}
    tables |= {n: pd.read_parquet(snakemake.input[n]) for n in ("metrics", "comparisons")}
    columns = {"rejects": REJECT_COLUMNS, "splits": SPLIT_COLUMNS, "subsets": SUBSET_COLUMNS}
    tables |= {name: concat_tables(listed(name), keys) for name, keys in columns.items()}
    mosaics = {Path(path).parent.name: data_uri(path) for path in listed("mosaics")}
    images = {"figure_3": image("figure_3"), "curves": image("curves"), "mosaics": mosaics}
    code, names = code_version(snakemake.params.code), labels(run, tables["availability"])
    encoder = next((json.loads(Path(path).read_text()) for path in listed("encoder")), None)
    context = report_context(run, names, tables, images, code, encoder)
    write_text(render_report(context), snakemake.output[0])
