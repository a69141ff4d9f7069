"""The report: one HTML file that needs nothing else, neither network nor scripts."""

import base64
import io
from pathlib import Path

import jinja2
from PIL import Image

from braindino.reporting.grids import Cell

LARGE = 2**20  # bytes; assumed: drawings are smaller, mosaics of brains are not


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
    """Return a PNG file as a data URI; a photograph becomes JPEG, a fifth of the size."""
    image, kind = Path(path).read_bytes(), "png"
    if len(image) > LARGE:
        kind, stream = "jpeg", io.BytesIO()
        Image.open(path).convert("RGB").save(stream, "jpeg", quality=85)
        image = stream.getvalue()
    return f"data:image/{kind};base64," + base64.b64encode(image).decode()
