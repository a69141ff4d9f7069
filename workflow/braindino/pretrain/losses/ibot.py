"""Cross-entropy at masked patches (paper section 4.2, equation 2; Zhou et al. 2022, iBOT)."""


def ibot_loss(student_logits, targets, masks, temperature):
    """Average the cross-entropy over the masked patches of a crop, then over all crops.

    Crops without a mask count as zero, so the term weighs the same whatever crops were drawn.

    Parameters
    ----------
    student_logits, targets : Tensor [masked patches, prototypes]
        Student scores and teacher distributions, in the order of `masks`.
    masks : Tensor of bool [crops, patches]
        Which patches were masked.
    temperature : float
        Student temperature.

    Returns
    -------
    Tensor, scalar
    """
    log_p = (student_logits.float() / temperature).log_softmax(dim=-1)
    cross_entropy = -(targets * log_p).sum(dim=-1)
    crop_of_patch = masks.nonzero()[:, 0]
    weights = 1 / masks.sum(dim=1)[crop_of_patch]
    return (cross_entropy * weights).sum() / len(masks)
