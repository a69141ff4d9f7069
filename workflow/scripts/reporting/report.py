"""Write the report."""

import json
from pathlib import Path

import pandas as pd

from braindino.corpus.columns import REJECTS, SUBSETS
from braindino.files import concat_tables, write_text
from braindino.imaging.quality import OUTLIERS
from braindino.log import job_log
from braindino.reporting.context import report_context
from braindino.reporting.curves import read_log
from braindino.reporting.html import data_uris, render_report
from braindino.reporting.labels import labels
from braindino.reporting.provenance import code_version
from braindino.settings.load import restore_run

AUDITS = ["availability", "coverage", "composition", "splits", "leakage", "duplicates", "notes"]
CSVS = [*AUDITS, "reproduction", "efficiency"]
JOINED = {"rejects": REJECTS, "subsets": SUBSETS, "outliers": OUTLIERS}


def listed(name):
    paths = snakemake.input.get(name, [])
    return [paths] if isinstance(paths, str) else list(paths)


with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    tables = {
        name: pd.read_csv(listed(name)[0]) for name in [*AUDITS, "reproduction", "efficiency"]
    }
    tables |= {n: pd.read_parquet(snakemake.input[n]) for n in ("metrics", "comparisons")}
    tables |= {name: concat_tables(listed(name), columns) for name, columns in JOINED.items()}
    tables["rejects"] = tables["rejects"].drop_duplicates()  # shards repeat what imaging rejected
    images = {name: data_uris(listed(name)) for name in ("mosaics", "histograms")}
    for name in ("figure_1a", "figure_3", "curves", "patches"):
        images[name] = next(iter(data_uris(listed(name)).values()), None)
    code, names = code_version(snakemake.params.code), labels(run, tables["availability"])
    encoder = next((json.loads(Path(path).read_text()) for path in listed("encoder")), None)
    course = [record for path in listed("course") for record in read_log(path)]
    context = report_context(run, names, tables, images, code, encoder, course)
    write_text(render_report(context), snakemake.output[0])
