"""Segmentations: scores that every case has already, one row a case (paper §2.1)."""

REGIONS = ("wt", "tc", "et")
SCORES = ("dice", "hd95", "lesion_dice")
CASE_SCORES = [f"{score}_{region}" for score in SCORES for region in REGIONS]


def by_case(predictions):
    """Set the regions of a case side by side.

    Parameters
    ----------
    predictions : DataFrame
        One row a case and region.

    Returns
    -------
    DataFrame
        One row a case with the columns of `CASE_SCORES`; target is 0, for scores have none.
    """
    keys = ["task", "encoder", "ratio", "seed", "fold", "subject", "volume_id"]
    wide = predictions.pivot_table(list(SCORES), keys, "region", sort=False)
    wide.columns = [f"{score}_{region}" for score, region in wide.columns]
    return wide[CASE_SCORES].reset_index().assign(target=0.0)
