"""Write the report."""

import json
from pathlib import Path

import pandas as pd

from braindino.corpus.columns import REJECTS, SUBSETS
from braindino.files import concat_tables, write_text
from braindino.log import job_log
from braindino.reporting.context import report_context
from braindino.reporting.html import data_uri, render_report
from braindino.reporting.labels import labels
from braindino.reporting.provenance import code_version
from braindino.settings.load import restore_run

AUDITS = ["availability", "coverage", "composition", "splits", "leakage", "duplicates", "notes"]


def listed(name):
    paths = snakemake.input.get(name, [])
    return [paths] if isinstance(paths, str) else list(paths)


def image(name):
    return next(map(data_uri, listed(name)), None)


with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    tables = {name: pd.read_csv(listed(name)[0]) for name in [*AUDITS, "reproduction"]}
    tables |= {n: pd.read_parquet(snakemake.input[n]) for n in ("metrics", "comparisons")}
    tables["rejects"] = concat_tables(listed("rejects"), REJECTS)
    tables["subsets"] = concat_tables(listed("subsets"), SUBSETS)
    images = {name: image(name) for name in ("figure_1a", "figure_3", "curves")}
    images["mosaics"] = {Path(path).parent.name: data_uri(path) for path in listed("mosaics")}
    code, names = code_version(snakemake.params.code), labels(run, tables["availability"])
    encoder = next((json.loads(Path(path).read_text()) for path in listed("encoder")), None)
    context = report_context(run, names, tables, images, code, encoder)
    write_text(render_report(context), snakemake.output[0])
