"""Write the report."""

import json
from pathlib import Path

from braindino.corpus.columns import REJECTS, SUBSETS
from braindino.files import concat_tables, read_table, write_text
from braindino.imaging.quality import OUTLIERS
from braindino.log import job_log
from braindino.reporting.catalogue import Table
from braindino.reporting.context import report_context
from braindino.reporting.curves import read_log
from braindino.reporting.html import data_uri, data_uris, render_report
from braindino.reporting.labels import labels
from braindino.reporting.provenance import code_version
from braindino.settings.load import restore_run
from braindino.statistics import comparisons, metrics

JOINED = {"rejects": REJECTS, "subsets": SUBSETS, "outliers": OUTLIERS}
JOINED |= {"robustness": metrics.COLUMNS, "robustness_comparisons": comparisons.COLUMNS}

with job_log(snakemake.log[0]):
    given, run = snakemake.input, restore_run(snakemake.params.run)
    tables = {
        Path(path).stem: read_table(path)
        for path in [*given.audits, *given.tables, *given.findings, given.efficiency]
    }
    tables |= {name: concat_tables(given[name], columns) for name, columns in JOINED.items()}
    tables["rejects"] = tables["rejects"].drop_duplicates()  # shards repeat what imaging rejected
    images = {Path(path).stem: data_uri(path) for path in given.figures}
    images |= {name: data_uris(given[name]) for name in ("mosaics", "histograms")}
    code, names = code_version(snakemake.params.code), labels(run, tables["availability"])
    encoder = next((json.loads(Path(path).read_text()) for path in given.encoder), None)
    course = [record for path in given.course for record in read_log(path)]
    shown = [Table(*table) for table in snakemake.params.tables]
    context = report_context(run, names, shown, tables, images, code, encoder, course)
    write_text(render_report(context), snakemake.output[0])
