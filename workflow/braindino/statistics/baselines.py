"""What a predictor without an image achieves: the line that every encoder must pass."""

import numpy as np

CHANCE_AUC = 0.5  # of a score that knows nothing of the class


def training_mean_mae(split):
    """Mean absolute test error of predicting the training mean, in the target's unit.

    Parameters
    ----------
    split : DataFrame
        Volumes of a task, with columns split (`train` or `test`), fold and target; the error
        is averaged over folds.
    """
    errors = []
    for _, fold in split.groupby("fold"):
        train = fold.loc[fold["split"] == "train", "target"]
        test = fold.loc[fold["split"] == "test", "target"]
        errors.append((test - train.mean()).abs().mean())
    return float(np.mean(errors))
