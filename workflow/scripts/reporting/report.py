"""Write the report."""

import json
from pathlib import Path

import pandas as pd

from braindino.corpus.manifest import REJECT_COLUMNS
from braindino.corpus.splits import SPLIT_COLUMNS
from braindino.files import concat_tables, write_text
from braindino.log import job_log
from braindino.reporting.context import report_context
from braindino.reporting.html import data_uri, render_report
from braindino.reporting.labels import labels
from braindino.settings.load import restore_run


def listed(name):
    paths = snakemake.input.get(name, [])
    return [paths] if isinstance(paths, str) else list(paths)


def image(name):
    return next(map(data_uri, listed(name)), None)


with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    single = ("availability", "coverage", "leakage", "reproduction")
    tables = {name: pd.read_csv(listed(name)[0]) for name in single}
    tables |= {n: pd.read_parquet(snakemake.input[n]) for n in ("metrics", "comparisons")}
    tables["rejects"] = concat_tables(listed("rejects"), REJECT_COLUMNS)
    tables["splits"] = concat_tables(listed("splits"), SPLIT_COLUMNS)
    tables["subsets"] = concat_tables(listed("subsets"), ["task", "ratio", "seed", "subject"])
    mosaics = {Path(path).parent.name: data_uri(path) for path in listed("mosaics")}
    images = {"figure_3": image("figure_3"), "curves": image("curves"), "mosaics": mosaics}
    names = labels(run, tables["availability"])
    code = snakemake.params.get("commit", f"package {snakemake.params.code}")
    encoder = next((json.loads(Path(path).read_text()) for path in listed("encoder")), None)
    context = report_context(run, names, tables, images, code, encoder)
    write_text(render_report(context), snakemake.output[0])
