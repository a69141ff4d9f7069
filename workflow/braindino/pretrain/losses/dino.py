"""Cross-entropy of class tokens between views (paper section 4.2, equation 1)."""

import torch


def dino_loss(student_logits, targets, temperature, other_views=False):
    """Average the cross-entropy over pairs of a teacher view and a student view.

    Parameters
    ----------
    student_logits : Tensor [student views, batch, prototypes]
        Student scores of class tokens.
    targets : Tensor [teacher views, batch, prototypes]
        Centred and sharpened teacher distributions.
    temperature : float
        Student temperature.
    other_views : bool
        Both sides list the same crops: leave out the pairs of a crop with itself.

    Returns
    -------
    Tensor, scalar
    """
    log_p = (student_logits.float() / temperature).log_softmax(dim=-1)
    pairs = -torch.einsum("tbk,sbk->ts", targets, log_p) / targets.shape[1]
    if other_views:
        views = len(pairs)
        return (pairs.sum() - pairs.trace()) / (views * (views - 1))
    return pairs.mean()
