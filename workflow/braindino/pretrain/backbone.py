"""The backbone of student and teacher: a vision transformer that can hide patches (section 4.2)."""

import timm
import torch
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from braindino.errors import BadInput
from braindino.pretrain.drop_path import run_block, run_last_block
from braindino.pretrain.precision import product_dtype
from braindino.weights import load_weights


class Backbone(nn.Module):
    """A timm vision transformer that takes slices and can hide patches from itself.

    Positions are rotary (DINOv3) or learned (DINOv2).

    Parameters
    ----------
    architecture : str
        timm model name.
    arguments : dict
        Arguments that override the model's own.

    Raises
    ------
    BadInput
        When timm has no such vision transformer, or it takes images of one size alone.
    """

    def __init__(self, architecture, arguments):
        super().__init__()
        self.vit = _create(architecture, arguments)
        self.drop_path = 0.0  # one rate for all blocks; timm's own grows with depth
        self.mask_token = nn.Parameter(torch.zeros(self.vit.embed_dim))

    @property
    def depth(self):
        """Number of transformer blocks."""
        return len(self.vit.blocks)

    @property
    def dim(self):
        """Length of a token."""
        return self.vit.embed_dim

    @property
    def patch_size(self):
        """Pixels of a patch, down and across."""
        return self.vit.patch_embed.patch_size

    def set_rope_rescale(self, factor):
        """Scale rotary coordinates by a draw, log-uniform in [1/factor, factor], in training mode.

        Every forward pass draws anew, from torch's generator of the device.
        """
        if rope := getattr(self.vit, "rope", None):
            # timm's Eva has no argument for it; its rotary embedding has.
            rope.rescale_coords, rope.aug_active = factor, factor > 1

    def load(self, path):
        """Load published weights, with their mask token where the file has one.

        Raises
        ------
        BadInput
            When the file does not fit, key by key.
        """
        mask_token = load_weights(self.vit, path)
        if mask_token is not None:
            self.mask_token.data.copy_(mask_token)

    def forward(self, slices, masks=None, wanted=None):
        """Encode slices.

        Parameters
        ----------
        slices : Tensor [batch, channels, height, width]
            One channel is taken as three equal ones, here and nowhere else (§4.2).
        masks : Tensor of bool [batch, rows, columns], optional
            Patches whose embedding the mask token replaces.
        wanted : Tensor of bool [batch, rows, columns], optional
            Patches that are read, all of them by default: of others the last block computes less.

        Returns
        -------
        cls : Tensor [batch, dim]
            Class tokens after the final norm.
        patches : Tensor [batch, rows · columns, dim], or [wanted patches, dim]
            Patch tokens after the final norm.
        """
        vit = self.vit
        tokens = self._embed(slices)
        if masks is not None:
            tokens = torch.where(masks[..., None], self.mask_token.to(tokens.dtype), tokens)
        if isinstance(vit, Eva):
            tokens, rope = vit._pos_embed(tokens)
            # In the type of products, as the reference DINOv3 trains.
            places = {"rope": rope.to(product_dtype(rope))}
        else:
            tokens, places = vit._pos_embed(tokens), {}
        tokens = vit.norm_pre(tokens)
        recompute = vit.grad_checkpointing and torch.is_grad_enabled()
        rate = self.drop_path if self.training else 0.0
        *blocks, last = vit.blocks
        for block in blocks if wanted is not None else vit.blocks:
            if recompute:
                tokens = checkpoint(run_block, block, tokens, places, rate, use_reentrant=False)
            else:
                tokens = run_block(block, tokens, places, rate)
        if wanted is None:
            tokens = vit.norm(tokens)
            return tokens[:, 0], tokens[:, vit.num_prefix_tokens :]
        read = _read(wanted.flatten(1), vit.num_prefix_tokens)
        tokens = vit.norm(run_last_block(last, tokens, places, rate, read))
        return tokens[: len(slices)], tokens[len(slices) :]

    def _embed(self, slices):
        # The convolution as one product, over equal channels with the kernels' sum: its backward
        # pass takes half a step on a CPU otherwise.
        proj = self.vit.patch_embed.proj
        down, across = proj.kernel_size
        kernels = proj.weight
        if slices.shape[1] != proj.in_channels:
            kernels = kernels.sum(dim=1, keepdim=True)
        patches = slices.unfold(2, down, down).unfold(3, across, across)
        patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(3)
        return functional.linear(patches, kernels.flatten(1), proj.bias)


def _read(wanted, prefix):
    """Return image and place of each class token, then of each wanted patch."""
    images = torch.arange(len(wanted), device=wanted.device)
    image, patch = wanted.nonzero(as_tuple=True)
    return torch.cat([images, image]), torch.cat([torch.zeros_like(images), prefix + patch])


def _create(architecture, arguments):
    if not timm.is_model(architecture):
        raise BadInput(f"model.architecture: timm has no model '{architecture}'.")
    try:
        vit = timm.create_model(architecture, num_classes=0, **arguments)
    except TypeError as error:
        raise BadInput(f"model.arguments: {architecture}: {error}.") from error
    if not isinstance(vit, Eva | VisionTransformer) or vit.cls_token is None:
        raise BadInput(
            f"model.architecture: {architecture} is not a vision transformer with a class token."
        )
    if not vit.dynamic_img_size:
        raise BadInput(
            f"model.arguments: {architecture} takes images of one size; add dynamic_img_size: true."
        )
    return vit
