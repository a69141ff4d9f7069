"""Cross-entropy between teacher and student over many prototypes, without their full matrices."""

import torch

from braindino.pretrain.losses.logits import product_dtype, row_blocks


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
        products = prototypes.to(product_dtype(tokens))
        scaled = (tokens.float() / temperature).to(products.dtype)
        # d/dscores = softmax - target; weight and temperature go with the few numbers of a token.
        weighted = (tokens * (weights / temperature)[:, None]).to(products.dtype)
        loss = weights.new_zeros(())
        token_gradient, prototype_gradient = torch.empty_like(tokens), 0
        with torch.autocast(tokens.device.type, enabled=False):
            for rows in row_blocks(tokens, prototypes):
                scores, wanted = (scaled[rows] @ products.T).float(), targets[rows]
                logarithms = scores.log_softmax(dim=1)
                loss -= weights[rows] @ torch.linalg.vecdot(wanted, logarithms)
                error = logarithms.exp_().sub_(wanted).to(products.dtype)
                token_gradient[rows] = (error @ products).to(tokens.dtype)
                prototype_gradient += (error.T @ weighted[rows]).to(prototypes.dtype)
        token_gradient *= (weights / temperature)[:, None]
        if not len(tokens):
            prototype_gradient = torch.zeros_like(prototypes)
        ctx.save_for_backward(token_gradient, prototype_gradient)
        return loss

    @staticmethod
    def backward(ctx, gradient):
        token_gradient, prototype_gradient = ctx.saved_tensors
        return token_gradient.mul_(gradient), prototype_gradient.mul_(gradient), None, None, None
