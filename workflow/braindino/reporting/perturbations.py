"""A slice under every perturbation and severity, beside the clean one."""

from matplotlib.figure import Figure

from braindino.reporting.style import house_style
from braindino.robustness.perturbations import PERTURBATIONS


def severity_figure(slices, kinds, severities, demo=""):
    """Draw the pictures of `robustness.pictures.severity_slices`.

    Parameters
    ----------
    slices : ndarray of uint8 [conditions, side, side]
    kinds : list of str
    severities : list of float
        Of each condition.
    demo : str
        The demo's note, if any.

    Returns
    -------
    matplotlib.figure.Figure
        A row a kind, severity growing to the right; the clean slice is named.
    """
    shown = {kind: [i for i, name in enumerate(kinds) if name == kind] for kind in PERTURBATIONS}
    shown = {kind: places for kind, places in shown.items() if places}
    columns = max(map(len, shown.values()))
    with house_style():
        figure = Figure(figsize=(1.25 * columns + 0.5, 1.42 * len(shown) + 0.3))
        grid = figure.subplots(len(shown), columns, squeeze=False)
        for line, (kind, places) in zip(grid, shown.items(), strict=True):
            line[0].set_ylabel(PERTURBATIONS[kind].title)
            for axes, place in zip(line, places, strict=False):
                axes.imshow(slices[place], cmap="gray", vmin=0, vmax=255)
                axes.set_title(_severity(kind, severities[place]), loc="center", fontsize=8)
        for axes in grid.ravel():
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            axes.spines[:].set_visible(False)
        if demo:
            figure.suptitle(demo, color="#B00020", fontsize=9)
        return figure


def _severity(kind, severity):
    perturbation = PERTURBATIONS[kind]
    if severity == perturbation.clean:
        return "clean"
    number = f"{severity:g} {perturbation.unit}".strip()
    return f"{perturbation.symbol} = {number}" if perturbation.symbol else "flipped"
