"""The brain-age gap, before and after its dependence on age is taken off."""

import numpy as np


def gap_rows(frame):
    """Yield rows on the gap between predicted and true age, if it was corrected.

    A predicted age regresses to the mean, so its gap falls with age. `gap_age_r` is that
    correlation (mean over label seeds) before, `gap_age_r_corrected` after the correction, whose
    line was fitted to validation subjects alone. No error of the corrected gap is given: as the
    correction knows the true age, it flatters most who predicts least (Butler et al. 2021).
    """
    if "gap_corrected" not in frame or frame["gap_corrected"].isna().any():
        return
    gap = frame["prediction"] - frame["target"]
    scores = {
        "gap_age_r": _by_seed(frame, gap),
        "gap_age_r_corrected": _by_seed(frame, frame["gap_corrected"]),
    }
    counts = {"n": frame["subject"].nunique(), "n_volumes": frame["volume_id"].nunique()}
    yield from ({"metric": name, "value": float(value)} | counts for name, value in scores.items())


def _by_seed(frame, gap):
    parts = frame.assign(gap=gap).groupby("seed")[["gap", "target"]]
    with np.errstate(invalid="ignore"):
        return parts.apply(lambda part: part["gap"].corr(part["target"])).mean()
