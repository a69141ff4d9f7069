"""The predictions table: one row a test case and region of every ratio."""

import pandas as pd

from braindino.segmentation.dataset import ENDING
from braindino.segmentation.scores import score_case

KEYS = ["task", "encoder", "ratio", "seed", "fold", "subject", "volume_id", "region"]


def score_cases(card, encoder, ratio, cases, folder, regions):
    """Score the test cases of one network.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    encoder : str
    ratio : float
    cases : DataFrame
        Test cases, as `braindino.segmentation.cases.list_cases` returns them.
    folder : path
        Holds <case>.nii.gz.
    regions : dict
        dataset → braindino.settings.cards.Regions

    Returns
    -------
    DataFrame
        task, encoder, ratio, seed, fold, subject, volume_id, region, and the scores.
    """
    rows = []
    for case in cases.itertuples():
        key = {"task": card.name, "encoder": encoder, "ratio": ratio, "seed": 0}
        key |= {"fold": case.fold, "subject": case.subject, "volume_id": case.volume_id}
        own = regions[case.subject.split("/")[0]]
        found = score_case(case.label, f"{folder}/{case.case}{ENDING}", own)
        rows += [key | row for row in found]
    return pd.DataFrame(rows)
