"""Student and teacher: a vision transformer with a DINO and an iBOT head each (section 4.2)."""

import copy

import timm
import torch
from timm.layers import DropPath
from torch import nn
from torch.nn import functional

from braindino.pretrain.randomness import seeded_torch

INIT_STD = 0.02  # assumed: reference DINOv3 heads


class Backbone(nn.Module):
    """A timm vision transformer that takes one-channel slices and can hide patches from itself."""

    def __init__(self, architecture, arguments):
        super().__init__()
        self.vit = timm.create_model(architecture, num_classes=0, **arguments)
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

    def set_drop_path(self, rate):
        """Drop residual branches with one rate in all blocks (timm's own grows with depth)."""
        for block in self.vit.blocks:
            block.drop_path1 = DropPath(rate)
            block.drop_path2 = DropPath(rate)

    def forward(self, slices, masks=None):
        """Encode slices.

        Parameters
        ----------
        slices : Tensor [batch, 1, height, width]
            Taken as three equal channels here and nowhere else (§4.2).
        masks : Tensor of bool [batch, rows, columns], optional
            Patches whose embedding the mask token replaces.

        Returns
        -------
        cls : Tensor [batch, dim]
            Class tokens after the final norm.
        patches : Tensor [batch, rows · columns, dim]
            Patch tokens after the final norm.
        """
        vit = self.vit
        tokens = self._embed(slices)
        if masks is not None:
            tokens = torch.where(masks[..., None], self.mask_token.to(tokens.dtype), tokens)
        tokens, rope = vit._pos_embed(tokens)
        tokens = vit.norm_pre(tokens)
        for block in vit.blocks:
            tokens = block(tokens, rope=rope)
        tokens = vit.norm(tokens)
        return tokens[:, 0], tokens[:, vit.num_prefix_tokens :]

    def _embed(self, slices):
        # The convolution over three equal channels, as one product with the kernels' sum: its
        # backward pass takes half a step on a CPU otherwise.
        proj = self.vit.patch_embed.proj
        down, across = proj.kernel_size
        patches = slices[:, 0].unfold(1, down, down).unfold(2, across, across).flatten(3)
        return functional.linear(patches, proj.weight.sum(dim=1).flatten(1), proj.bias)


class Head(nn.Module):
    """Three-layer MLP to a unit vector, then its scores with the prototypes."""

    def __init__(self, dim, hidden, bottleneck, prototypes):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden),
            nn.GELU(),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, bottleneck),
        )
        self.prototypes = nn.Linear(bottleneck, prototypes, bias=False)
        self.apply(_initialise)

    def forward(self, tokens):
        """Score tokens [..., dim] against the prototypes: [..., prototypes]."""
        return self.prototypes(functional.normalize(self.mlp(tokens), dim=-1))


class Network(nn.Module):
    """A backbone and its two heads."""

    def __init__(self, settings):
        super().__init__()
        self.backbone = Backbone(settings.architecture, settings.arguments)
        sizes = (settings.head_hidden, settings.head_bottleneck, settings.prototypes)
        self.dino_head = Head(self.backbone.dim, *sizes)
        self.ibot_head = Head(self.backbone.dim, *sizes)


def build_pair(settings, seed):
    """Return the student in training mode and its copy, the teacher, which learns no gradient.

    Parameters
    ----------
    settings : Model
        Architecture and heads.
    seed : int
        Seeds the initial weights.
    """
    with seeded_torch(seed, "weights"):
        student = Network(settings)
    teacher = copy.deepcopy(student).requires_grad_(False).eval()
    student.backbone.set_drop_path(settings.drop_path)
    return student.train(), teacher


@torch.no_grad()
def update_teacher(teacher, student, momentum):
    """Move the teacher towards the student: θ_t ← m · θ_t + (1 - m) · θ_s (§4.2)."""
    for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)


def _initialise(module):
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=INIT_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
