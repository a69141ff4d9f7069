"""Names of the conditions under which volumes are embedded: clean, or `<kind>-<severity>`."""

from braindino.robustness.perturbations import PERTURBATIONS

CLEAN = "clean"


def conditions(severities):
    """List the conditions of a grid but the clean one.

    Parameters
    ----------
    severities : braindino.settings.robustness.Severities

    Returns
    -------
    list of str
    """
    return [
        condition(kind, severity)
        for kind, grid in severities
        for severity in sorted(set(grid))
        if severity != PERTURBATIONS[kind].clean
    ]


def grid(severities):
    """List every severity of a grid as (condition, kind, severity), the clean ones as clean."""
    rows = []
    for kind, values in severities:
        clean = PERTURBATIONS[kind].clean
        for severity in sorted({*values, clean}) if set(values) - {clean} else ():
            name = CLEAN if severity == clean else condition(kind, severity)
            rows.append((name, kind, severity))
    return rows


def condition(kind, severity):
    """Name a condition, e.g. 'gibbs-0.4'."""
    return f"{kind}-{severity:g}"


def parse(name):
    """Return kind and severity of a condition, e.g. ('gibbs', 0.4)."""
    kind, _, severity = name.rpartition("-")
    return kind, float(severity)
