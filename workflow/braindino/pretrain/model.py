"""Student and teacher: a vision transformer with a DINO and an iBOT head each (section 4.2)."""

import copy
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from braindino.errors import BadInput
from braindino.pretrain.backbone import Backbone
from braindino.pretrain.randomness import seeded_torch
from braindino.tensors import check_file

INIT_STD = 0.02  # assumed: reference DINOv3 heads


class Head(nn.Module):
    """Three-layer MLP to a unit vector, and the prototypes that score it."""

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
        """Map tokens [n, dim] to unit vectors [n, bottleneck], which the losses score."""
        return functional.normalize(self.mlp(tokens), dim=-1)


class Network(nn.Module):
    """A backbone and its two heads."""

    def __init__(self, settings):
        super().__init__()
        self.backbone = Backbone(settings.architecture, settings.arguments)
        sizes = (settings.head_hidden, settings.head_bottleneck, settings.prototypes)
        self.dino_head = Head(self.backbone.dim, *sizes)
        self.ibot_head = Head(self.backbone.dim, *sizes)

    def forward(self, global_crops, masks, local_crops):
        """Show the student its views, in one call, as distributed training wants it.

        Parameters
        ----------
        global_crops : Tensor [crops, channels, size, size]
        masks : Tensor of bool [crops, rows, columns]
            Patches hidden from it.
        local_crops : Tensor [crops, channels, size, size]

        Returns
        -------
        Student
        """
        tokens, masked = self.backbone(global_crops, masks, wanted=masks)
        local_tokens, _ = self.backbone(local_crops, wanted=self._no_patches(local_crops))
        heads = self.dino_head(torch.cat([tokens, local_tokens]))
        whole, parts = heads.split([len(tokens), len(local_tokens)])
        return Student(tokens, whole, parts, self.ibot_head(masked))

    @torch.no_grad()
    def watch(self, global_crops, masks):
        """Show the teacher the whole global crops.

        Returns
        -------
        Teacher
        """
        tokens, masked = self.backbone(global_crops, wanted=masks)
        return Teacher(tokens, self.dino_head(tokens), self.ibot_head(masked))

    def _no_patches(self, crops):
        down, across = self.backbone.patch_size
        size = len(crops), crops.shape[2] // down, crops.shape[3] // across
        return torch.zeros(size, dtype=torch.bool, device=crops.device)


class Student(NamedTuple):
    """Class tokens of global crops, and unit vectors: of global and local crops, masked patches."""

    tokens: torch.Tensor
    global_heads: torch.Tensor
    local_heads: torch.Tensor
    masked_heads: torch.Tensor


class Teacher(NamedTuple):
    """Class tokens of the global crops, and unit vectors: theirs, and of the masked patches."""

    tokens: torch.Tensor
    heads: torch.Tensor
    masked_heads: torch.Tensor


def build_pair(settings, seed, init=None):
    """Return the student in training mode and its copy, the teacher, which learns no gradient.

    Parameters
    ----------
    settings : braindino.settings.pretrain.Model
        Architecture, heads and initial weights.
    seed : int
        Seeds the initial weights.
    init : path, optional
        The file of `settings.init`, which the backbones start from; the heads are always new.

    Raises
    ------
    BadInput
        When timm has no such model, or the file is absent or does not fit.
    """
    with seeded_torch(seed, "weights"):
        student = Network(settings)
    if settings.init != "random":
        _load_initial(student.backbone, settings.init, init)
    teacher = copy.deepcopy(student).requires_grad_(False).eval()
    student.backbone.drop_path = settings.drop_path
    student.backbone.set_rope_rescale(settings.rope_rescale)
    return student.train(), teacher


@torch.no_grad()
def update_teacher(teacher, student, momentum):
    """Move the teacher towards the student: θ_t ← m · θ_t + (1 - m) · θ_s (§4.2)."""
    for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)


def _load_initial(backbone, weights, path):
    if path is None:
        raise BadInput(
            f"model.init: {weights.file} is not below weights_root; {weights.how_to_get}"
        )
    check_file(path, weights, "the recipe")
    backbone.load(path)


def _initialise(module):
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=INIT_STD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
