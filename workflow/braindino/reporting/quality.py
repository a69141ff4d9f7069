"""Intensities before and after normalisation, and the outliers as the report names them."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy import ndimage

from braindino.imaging.thumbnails import Z_RANGE
from braindino.reporting.palette import CONTRASTS
from braindino.reporting.style import house_style, watermark

# assumed: volumes far brighter than most must not press the others against the axis
BRIGHTEST = 3  # times the median volume's upper limit
SMOOTHING = 1.5  # assumed: SD in bins
POINTS = 200  # at which a cohort's mean is drawn


def histogram_figure(thumbnails, index, cohort, demo=""):
    """Draw a cohort's brain intensities: raw, and as the encoders see them.

    Parameters
    ----------
    thumbnails : dict
        before and after, counts [volumes, bins] as `imaging.thumbnails.Thumbnail` holds them.
    index : DataFrame
        A row a volume: modality, intensity_low, intensity_high.
    cohort : str
        Name of the cohort.
    demo : str
        The demo's note, if any.

    Returns
    -------
    matplotlib.figure.Figure
        A row of two panels a contrast: a thin line a volume, their mean bold.
    """
    contrasts = [name for name in CONTRASTS if (index["modality"] == name).any()]
    with house_style():
        rows = max(1, len(contrasts))
        figure = Figure(figsize=(7.09, 1.9 * rows + 0.4))
        grid = figure.subplots(rows, 2, squeeze=False)
        for axes, contrast in zip(grid, contrasts, strict=False):
            chosen = np.flatnonzero(index["modality"] == contrast)
            counts = {key: thumbnails[key][chosen] for key in ("before", "after")}
            limits = index[["intensity_low", "intensity_high"]].to_numpy()[chosen]
            _raw_panel(axes[0], counts["before"], limits, contrast)
            _normalised_panel(axes[1], counts["after"], contrast)
        for axes in grid.ravel():
            if not contrasts:
                axes.set_axis_off()
            elif demo:
                watermark(axes)
        figure.suptitle(cohort + (f" ({demo})" if demo else ""), fontsize=9)
        return figure


def densities(counts, limits):
    """Turn histograms into densities.

    Parameters
    ----------
    counts : ndarray [volumes, bins]
    limits : ndarray [volumes, 2]
        Ends of each volume's histogram.

    Returns
    -------
    centres, density : ndarray [volumes, bins]
        Centres of the bins, and shares of voxels per unit of intensity.
    """
    width = np.diff(limits, axis=1) / counts.shape[1]
    centres = limits[:, :1] + width * (np.arange(counts.shape[1]) + 0.5)
    return centres, counts / np.maximum(counts.sum(1, keepdims=True), 1) / width


def mean_density(centres, density, points=POINTS):
    """Average densities of different ranges: (positions, mean), zero beyond a volume's range."""
    at = np.linspace(centres.min(), centres.max(), points)
    curves = [np.interp(at, *curve, 0, 0) for curve in zip(centres, density, strict=True)]
    return at, np.mean(curves, axis=0)


def quality_sections(mosaics, histograms, outliers):
    """Gather what the report shows of each cohort, without any subject's identifier.

    Parameters
    ----------
    mosaics, histograms : dict
        {cohort: data URI}.
    outliers : DataFrame
        Of all cohorts, as `imaging.quality.find_outliers` returns it.

    Returns
    -------
    list of dict
        cohort, mosaic, histograms, count (volumes that stand out) and outliers: a row a value,
        with volume ('#7', its number in the mosaic), modality, reason and z.
    """
    return [
        {"cohort": cohort, "mosaic": mosaic, "histograms": histograms[cohort]}
        | {"count": rows["number"].nunique(), "outliers": _printed(rows)}
        for cohort, mosaic in mosaics.items()
        for rows in [outliers[outliers["dataset"] == cohort]]
    ]


def _printed(outliers):
    return [
        {"volume": f"#{row.number}", "modality": row.modality, "reason": row.reason}
        | {"z": f"{row.z:+.1f}".replace("-", "−")}
        for row in outliers.itertuples()
    ]


def _raw_panel(axes, counts, limits, contrast):
    # Whole numbers fall unevenly into the bins; without smoothing the curve would be a comb.
    smooth = ndimage.gaussian_filter1d(counts.astype(float), SMOOTHING, axis=1)
    _panel(axes, *densities(smooth, limits), contrast)
    typical = np.median(limits[:, 1])
    axes.set_xlim(min(0, limits.min()), min(limits.max(), BRIGHTEST * typical))
    volumes = f"{len(counts)} volume{'s' if len(counts) > 1 else ''}"
    axes.set(title=f"{contrast}, as scanned ({volumes})", xlabel="Intensity (scanner's units)")


def _normalised_panel(axes, counts, contrast):
    _panel(axes, *densities(counts, np.tile(Z_RANGE, (len(counts), 1))), contrast)
    axes.set_xlim(Z_RANGE)
    axes.set(title=f"{contrast}, normalised", xlabel="Intensity (SD from the brain's mean)")


def _panel(axes, centres, density, contrast):
    lines = np.stack([centres, density], axis=-1)
    faint = max(0.05, min(0.6, 10 / len(lines)))
    axes.add_collection(
        LineCollection(lines, colors=CONTRASTS[contrast], linewidths=0.6, alpha=faint)
    )
    axes.plot(*mean_density(centres, density), color="black", linewidth=1.6)
    # Nor must the narrow peak of a dim volume.
    axes.set_ylim(0, 1.1 * np.percentile(density.max(axis=1), 90))
    axes.set_ylabel("Density of voxels")
