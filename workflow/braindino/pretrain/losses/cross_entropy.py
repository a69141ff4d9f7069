"""Cross-entropy between teacher and student over many prototypes, without their full matrices."""

import torch

from braindino.pretrain.losses.logits import Logits


def prototype_cross_entropy(tokens, prototypes, targets, weights, temperature):
    """Return the weighted sum of cross-entropies of student tokens with their targets.

    Scores, probabilities and gradients live for one block of rows alone: at the paper's size the
    whole matrices would take several times 5 GiB a GPU.

    Parameters
    ----------
    tokens : Tensor [n, dim]
        Student's unit vectors.
    prototypes : Tensor [prototypes, dim]
        Student's prototypes.
    targets : sequence
        `targets[rows]` gives distributions [rows, prototypes], float32, of rows of `tokens`.
    weights : Tensor float32 [n]
    temperature : float
        Student temperature.

    Returns
    -------
    Tensor float32, scalar
    """
    return _CrossEntropy.apply(tokens, prototypes, targets, weights, temperature)


class _CrossEntropy(torch.autograd.Function):
    """Computes its gradients on the way forward, while a block's scores are there."""

    @staticmethod
    def forward(ctx, tokens, prototypes, targets, weights, temperature):
        logits = Logits(tokens, prototypes)
        loss = weights.new_zeros(())
        token_gradient = torch.zeros_like(tokens)
        prototype_gradient = torch.zeros_like(prototypes)
        with torch.autocast(tokens.device.type, enabled=False):
            for rows in logits.blocks():
                scores, wanted = logits[rows].div_(temperature), targets[rows]
                normaliser = scores.logsumexp(dim=1)
                loss += weights[rows] @ (normaliser - torch.linalg.vecdot(wanted, scores))
                # d/dscores = (softmax - target) · weight, in the memory of the scores.
                scores.sub_(normaliser[:, None]).exp_().sub_(wanted)
                scores.mul_(weights[rows, None] / temperature)
                scores = scores.to(logits.tokens.dtype)
                token_gradient[rows] = (scores @ logits.prototypes).to(tokens.dtype)
                prototype_gradient += scores.T @ logits.tokens[rows]
        ctx.save_for_backward(token_gradient, prototype_gradient)
        return loss

    @staticmethod
    def backward(ctx, gradient):
        token_gradient, prototype_gradient = ctx.saved_tensors
        return token_gradient * gradient, prototype_gradient * gradient, None, None, None
