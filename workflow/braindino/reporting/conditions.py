"""Conditions of perturbed test scans as strata, named as the published numbers name them."""

CLEAN = {"contrast": 1.0}  # the severity that changes nothing; of the others 0


def as_strata(frame):
    """Name each row's condition in its stratum, e.g. 'contrast:2.0'.

    Parameters
    ----------
    frame : DataFrame
        Metrics or comparisons; without the columns perturbation and severity nothing changes.
    """
    if "perturbation" not in frame:
        return frame
    named = [
        name if name == "clean" else f"{name}:{max(f'{strength:.1f}', f'{strength:g}', key=len)}"
        for name, strength in zip(frame["perturbation"], frame["severity"], strict=True)
    ]
    return frame.assign(stratum=named)


def is_clean(stratum):
    """Whether a condition's name means unchanged scans."""
    name, _, strength = stratum.partition(":")
    return name == "clean" or float(strength or -1) == CLEAN.get(name, 0.0)
