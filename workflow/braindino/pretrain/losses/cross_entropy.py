"""Cross-entropy between teacher and student over many prototypes, without their full matrices."""

import torch

from braindino.pretrain.losses.logits import kept_parts, row_blocks
from braindino.pretrain.precision import product_dtype


def prototype_cross_entropy(tokens, prototypes, targets, weights, temperature):
    """Return the weighted sum of cross-entropies of student tokens with their targets, and each.

    Probabilities live for one block of rows alone, and no more than half a GiB of scores in the
    type of products: at the paper's size the whole matrices would take several times 5 GiB a GPU.

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
    Tensor float32 [n]
        The single cross-entropies, without a gradient.
    """
    return _CrossEntropy.apply(tokens, prototypes, targets, weights, temperature)


class _CrossEntropy(torch.autograd.Function):
    """Computes its gradients on the way forward, while a block's scores are there."""

    @staticmethod
    def forward(ctx, tokens, prototypes, targets, weights, temperature):
        products = prototypes.to(product_dtype(tokens))
        scaled = (tokens.float() / temperature).to(products.dtype)
        # d/dscores = softmax - target; weight and temperature go with the few numbers of a token.
        weighted = (tokens * (weights / temperature)[:, None]).to(products.dtype)
        losses = weights.new_empty(len(tokens))
        token_gradient, prototype_gradient = torch.empty_like(tokens), None
        with torch.autocast(tokens.device.type, enabled=False):
            for part in kept_parts(tokens, prototypes) or [slice(0, 0)]:
                scores = scaled[part] @ products.T
                for block in row_blocks(scores, prototypes):
                    rows = slice(part.start + block.start, part.start + block.stop)
                    logarithms, wanted = scores[block].float().log_softmax(dim=1), targets[rows]
                    losses[rows] = -(wanted * logarithms).sum(dim=1)
                    scores[block] = logarithms.exp_().sub_(wanted)
                token_gradient[part] = scores @ products
                gradient = (scores.T @ weighted[part]).to(prototypes.dtype)
                prototype_gradient = _add(prototype_gradient, gradient)
        token_gradient *= (weights / temperature)[:, None]
        ctx.save_for_backward(token_gradient, prototype_gradient)
        ctx.mark_non_differentiable(losses)
        return weights @ losses, losses

    @staticmethod
    def backward(ctx, gradient, _):
        token_gradient, prototype_gradient = ctx.saved_tensors
        return token_gradient.mul_(gradient), prototype_gradient.mul_(gradient), None, None, None


def _add(total, more):
    return more if total is None else total.add_(more)
