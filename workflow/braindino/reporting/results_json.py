"""All that the report rests on, for other programs to read."""

import json

from braindino.reporting.provenance import provenance


def results_json(run, tables, commit):
    """Return a run's results as JSON text.

    Parameters
    ----------
    run : settings.load.Run
    tables : dict of DataFrame
        By name; without a subject's id, as the report itself.
    commit : str
        Version of the code.

    Returns
    -------
    str
        An object with run, demo, versions, configuration and tables: lists of objects, undefined
        numbers as null.
    """
    document = {
        "run": run.config.run,
        "demo": run.config.is_demo,
        "versions": dict(provenance(commit)),
        "configuration": run.config.model_dump(mode="json"),
        "tables": {name: _records(table) for name, table in sorted(tables.items())},
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _records(table):
    return json.loads(table.to_json(orient="records", double_precision=15))
