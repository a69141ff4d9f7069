"""The report: one HTML file that needs nothing else, neither network nor scripts."""

import base64
from pathlib import Path

import jinja2

from braindino.reporting.grids import Cell


def render_report(context):
    """Render `report.html`.

    Parameters
    ----------
    context : dict
        As `context.report_context` builds it.

    Returns
    -------
    str
        HTML with its style and images inside.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["cell"] = lambda value: isinstance(value, Cell)
    return environment.get_template("report.html").render(context)


def data_uris(paths):
    """Return {folder's name: data URI} of PNG files in different folders."""
    return {Path(path).parent.name: data_uri(path) for path in paths}


def data_uri(path):
    """Return a PNG file as a data URI."""
    return "data:image/png;base64," + base64.b64encode(Path(path).read_bytes()).decode()
