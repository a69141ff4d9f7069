"""Prediction of masked patches (Zhou et al. 2022; paper §4.2, equation 2)."""

from braindino.pretrain.losses.cross_entropy import prototype_cross_entropy


def ibot_loss(tokens, prototypes, targets, masks, temperature):
    """Return the mean over crops of the mean cross-entropy over a crop's masked patches.

    Crops without a mask count as zero, so the term weighs the same whatever crops were drawn.

    Parameters
    ----------
    tokens : Tensor [masked patches, dim]
        Student's unit vectors, in the order of `masks`.
    prototypes : Tensor [prototypes, dim]
    targets : Targets of [masked patches, prototypes]
        The teacher's, in the same order.
    masks : Tensor of bool [crops, patches]
        Which patches were masked.
    temperature : float
        Student temperature.

    Returns
    -------
    Tensor, scalar
    """
    crop_of_patch = masks.nonzero()[:, 0]
    weights = 1 / (masks.sum(dim=1)[crop_of_patch] * len(masks))
    return prototype_cross_entropy(tokens, prototypes, targets, weights, temperature)[0]
