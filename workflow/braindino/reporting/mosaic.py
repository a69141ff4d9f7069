"""Quality-control mosaic: brain masks on raw planes, and the slices that encoders see."""

import math

import numpy as np
from matplotlib.figure import Figure
from scipy import ndimage

from braindino.imaging.thumbnails import Thumbnail
from braindino.reporting.style import house_style

MOST = 16  # volumes in a figure: more are too small to judge
MOST_OUTLIERS = 4  # of them, chosen because they stand out
GAP = 4  # pixels between pictures
OUTLINE = np.array([255, 90, 0], np.uint8)
WARNING = "#ff9d5c"
DARK = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1}
BACKGROUND = np.array([16, 16, 16], np.uint8)
COLUMNS = ["axial", "coronal", "sagittal", "30 %", "50 %", "70 %"]
DPI = 150


def read_thumbnails(paths):
    """Concatenate thumbnail files into one dict of arrays, the fields of a Thumbnail."""
    files = [np.load(path) for path in paths]
    return {key: np.concatenate([file[key] for file in files]) for key in Thumbnail._fields}


def evenly(total, most=MOST):
    """Choose at most `most` of `total` indices, evenly spread from first to last."""
    return np.unique(np.linspace(0, total - 1, min(total, most)).round().astype(int))


def mosaic(thumbnails, index, outliers, cohort, demo=""):
    """Draw a cohort's volumes, numbered, without names.

    Parameters
    ----------
    thumbnails : dict
        raw and slices, uint8 [volumes, 3, side, side]; mask, bool of the same shape. Rows run
        from anterior or superior.
    index : DataFrame
        A row a volume, with the column stripped_before.
    outliers : DataFrame
        As `imaging.quality.find_outliers` returns it.
    cohort : str
        Name of the cohort.
    demo : str
        The demo's note, if any.

    Returns
    -------
    matplotlib.figure.Figure
        Each volume: axial, coronal and sagittal plane of the raw scan with the mask's outline,
        then normalised axial slices at 30, 50 and 70 % of the brain's height.
    """
    total = len(index)
    reasons = _strongest(outliers)
    chosen = _chosen(total, [number - 1 for number in reasons])
    across = 2 if len(chosen) > 4 else 1
    strips = [_strip(thumbnails, i) for i in chosen]
    shown = _choice(len(chosen), total, len(reasons))
    title = f"{cohort}: {shown}" + (f" ({demo})" if demo else "")
    tags = [(_tag(i, thumbnails, index), reasons.get(i + 1, "")) for i in chosen]
    with house_style():
        return _figure(_canvas(strips, across), title, tags, across)


def _chosen(total, outliers):
    others = np.setdiff1d(np.arange(total), outliers)
    return np.sort([*outliers, *others[evenly(len(others), MOST - len(outliers))]]).astype(int)


def _strongest(outliers):
    """Return {number: reason} of the volumes that stand out most."""
    rows = outliers.sort_values("z", key=abs, ascending=False, kind="stable")
    rows = rows.drop_duplicates("number").head(MOST_OUTLIERS)
    return dict(zip(rows["number"], rows["reason"], strict=True))


def _choice(shown, total, outliers):
    if shown == total:
        return f"{total} volumes"
    first = f"{outliers} outlier{'s' if outliers > 1 else ''}, the others " if outliers else ""
    return f"{shown} of {total} volumes, {first}evenly chosen"


def _strip(thumbnails, index):
    """Six pictures of a volume side by side: uint8 [side, width, 3]."""
    planes = [
        _outlined(raw, mask)
        for raw, mask in zip(thumbnails["raw"][index], thumbnails["mask"][index], strict=True)
    ]
    pictures = planes + [_grey(picture) for picture in thumbnails["slices"][index]]
    return np.concatenate([_padded(picture) for picture in pictures], axis=1)


def _outlined(raw, mask):
    picture = _grey(raw)
    picture[mask & ~ndimage.binary_erosion(mask)] = OUTLINE
    return picture


def _grey(picture):
    return np.repeat(picture[..., None], 3, axis=-1)


def _padded(picture):
    height, width, _ = picture.shape
    framed = np.tile(BACKGROUND, (height + GAP, width + GAP, 1))
    framed[:height, :width] = picture
    return framed


def _canvas(strips, across):
    """Set the strips in `across` columns: uint8 [height, width, 3]."""
    if not strips:
        return np.tile(BACKGROUND, (160, 6 * 164, 1))
    blank = np.broadcast_to(BACKGROUND, strips[0].shape)
    strips = strips + [blank] * (-len(strips) % across)
    lines = [strips[i : i + across] for i in range(0, len(strips), across)]
    return np.concatenate([np.concatenate(line, axis=1) for line in lines])


def _figure(canvas, title, tags, across):
    height, width, _ = canvas.shape
    top = 70  # pixels for title and column names
    figure = Figure(figsize=(width / DPI, (height + top) / DPI), dpi=DPI, facecolor="#101010")
    figure.set_layout_engine("none")
    axes = figure.add_axes([0, 0, 1, height / (height + top)])
    axes.imshow(canvas, interpolation="none", aspect="auto")
    axes.set_axis_off()
    figure.text(10 / width, 1 - 22 / (height + top), title, color="white", va="center", fontsize=9)
    side = width / across / len(COLUMNS)
    for i, name in enumerate(COLUMNS * across):
        axes.text((i + 0.5) * side, -8, name, color="0.8", ha="center", va="bottom", fontsize=7)
    rows = math.ceil(max(1, len(tags)) / across)
    for i, (tag, reason) in enumerate(tags):
        x, y = (i % across) * width / across, (i // across) * height / rows
        axes.text(x + 4, y + 4, tag, color="white", va="top", fontsize=6.5, bbox=DARK)
        y += height / rows - GAP - 4
        axes.text(x + 4, y, reason, color=WARNING, va="bottom", fontsize=6.5, bbox=DARK)
    return figure


def _tag(place, thumbnails, index):
    if not thumbnails["raw"][place].any():
        return f"{place + 1} called stripped but may be a whole head, so not shown"
    return f"{place + 1}" + (" passed through" if index["stripped_before"].iloc[place] else "")
