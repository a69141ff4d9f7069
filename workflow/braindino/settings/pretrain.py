"""A pretraining recipe (paper section 4.2); the defaults are the paper's stage 1."""

import math
from typing import Literal

from pydantic import Field, model_validator

from braindino.settings.base import Strict, assumed, stated
from braindino.settings.encoders import Weights

REFERENCE = "the reference DINOv3 recipe, which §4.2 follows"
GROUP = "the authors' only public pretraining code (for CT)"


class Model(Strict):
    """Student and teacher: identical vision transformers with a DINO and an iBOT head each."""

    architecture: str = stated("vit_base_patch16_dinov3", "4.2", "timm model: ViT-B/16 with RoPE")
    arguments: dict[str, int | float | bool] = Field(
        {}, description="arguments that override the timm model's own, e.g. depth"
    )
    init: Weights | Literal["random"] = assumed(
        "random",
        "the paper names no starting weights",
        "weights at the start; or a published file, in the layout of timm, DINOv2 or DINOv3",
    )
    drop_path: float = assumed(0.2, GROUP, "stochastic depth, student only", ge=0, lt=1)
    rope_rescale: float = assumed(
        2.0,
        GROUP,
        "rotary coordinates, student only: scaled log-uniformly between 1/x and x; 1: not",
        ge=1,
    )
    head_hidden: int = stated(2048, "4.2", "hidden units of the 3-layer heads", ge=1)
    head_bottleneck: int = stated(256, "4.2", "units before the prototypes", ge=1)
    prototypes: int = stated(65536, "4.2", "prototypes of each head", ge=2)


class Views(Strict):
    """Multi-crop views of a slice."""

    channels: Literal["slice", "neighbours", "contrasts"] = stated(
        "slice",
        "4.2",
        "slice: one, replicated at the model's door; neighbours: with the slices below and above; "
        "contrasts: T1w, T2w and FLAIR of the session, where it has them",
    )
    upsampled_size: int | None = Field(
        None, description="pixels to which slices are upsampled before cropping; null: none", ge=1
    )
    global_crops: int = stated(2, "4.2", "global crops, seen by teacher and student", ge=2, le=2)
    local_crops: int = stated(8, "4.2", "local crops, seen by the student alone", ge=1)
    global_scale: tuple[float, float] = stated((0.32, 1.0), "4.2", "area of a global crop")
    local_scale: tuple[float, float] = stated((0.05, 0.32), "4.2", "area of a local crop")
    global_sizes: list[int] = stated(
        [256], "4.2", "pixels of a global crop, square; of several, one is drawn an iteration"
    )
    local_sizes: list[int] = stated([112], "4.2", "pixels of a local crop, paired with the above")
    size_ratios: list[float] = stated([1.0], "4.2", "how often each pair of sizes is drawn")
    flip: float = assumed(0.5, REFERENCE, "probability of a left-right flip", ge=0, le=1)
    blur: float = assumed(
        0.5, "stated without a probability (§4.2)", "probability of a Gaussian blur", ge=0, le=1
    )
    blur_sigma: tuple[float, float] = assumed((0.1, 2.0), REFERENCE, "Gaussian sigma (pixels)")

    @model_validator(mode="after")
    def _sizes_pair_up(self):
        if not len(self.global_sizes) == len(self.local_sizes) == len(self.size_ratios) > 0:
            raise ValueError("global_sizes, local_sizes and size_ratios must be of one length")
        if not math.isclose(sum(self.size_ratios), 1):
            raise ValueError(f"size_ratios must sum to 1, not {sum(self.size_ratios):g}")
        return self


class Objective(Strict):
    """DINO on class tokens, iBOT on masked patches, KoLeo on student class tokens."""

    student_temperature: float = assumed(0.1, REFERENCE, "student temperature", gt=0)
    teacher_temperature: tuple[float, float] = assumed(
        (0.04, 0.07), REFERENCE, "teacher temperature at the start and after its warm-up"
    )
    teacher_warmup: int = assumed(30000, GROUP, "iterations of the temperature's warm-up", ge=0)
    centring: Literal["sinkhorn_knopp", "mean"] = assumed(
        "sinkhorn_knopp", REFERENCE, "how the teacher's scores are centred; mean: DINO's EMA centre"
    )
    centre_momentum: float = assumed(
        0.9, "Caron et al. 2021", "EMA of the mean's centre", ge=0, lt=1
    )
    sinkhorn_iterations: int = assumed(3, REFERENCE, "Sinkhorn-Knopp iterations (centring)", ge=1)
    mask_probability: float = stated(0.5, "4.2", "share of global crops with masked patches")
    mask_ratio: tuple[float, float] = stated((0.1, 0.5), "4.2", "share of patches masked in them")
    ibot_weight: float = stated(1.0, "4.2", "weight of the iBOT loss", ge=0)
    koleo_weight: float = stated(0.1, "4.2", "weight of the KoLeo regulariser", ge=0)
    koleo_group: int = assumed(
        256, REFERENCE + ": a GPU's share of the batch", "slices among which KoLeo looks", ge=2
    )
    momentum: float = stated(0.994, "4.2", "EMA momentum of the teacher, constant", gt=0, lt=1)


class Optimisation(Strict):
    """AdamW and its schedules."""

    iterations: int = stated(500_000, "4.2", "optimiser steps", ge=1)
    batch: int = stated(1024, "4.2", "slices a step over all devices (4 × 256)", ge=2)
    device_batch: int = stated(
        256, "4.2", "slices a device takes at once; gradients add up to the whole batch", ge=2
    )
    precision: Literal["bf16", "float32"] = assumed(
        "bf16", REFERENCE, "of the products; weights, optimiser and teacher are float32"
    )
    learning_rate: float = stated(1e-4, "4.2", "peak base learning rate", gt=0)
    lr_scaling: Literal["sqrt", "none"] = assumed(
        "sqrt",
        REFERENCE + ": × 4·√(batch / 1024)",
        "how the base rate becomes the peak rate",
    )
    warmup: int = stated(10_000, "4.2", "iterations of linear warm-up", ge=0)
    final_learning_rate: float = assumed(1e-6, REFERENCE, "rate at the cosine's end", ge=0)
    weight_decay: float = stated(0.04, "4.2", "weight decay, constant", ge=0)
    layer_decay: float = stated(0.9, "4.2", "rate multiplier from one layer to the one below")
    patch_embed_multiplier: float = assumed(0.2, REFERENCE, "rate multiplier, patch embedding")
    freeze_last_layer: int = assumed(3000, GROUP, "iterations with frozen prototypes", ge=0)
    clip: float = stated(3.0, "4.2", "largest gradient norm, each of backbone and heads", gt=0)
    betas: tuple[float, float] = assumed((0.9, 0.999), REFERENCE, "AdamW betas")
    nonfinite_grace: int = assumed(
        3, "a rare overflow passes; a broken run does not", "steps skipped in a row before it ends"
    )


class Probe(Strict):
    """The online kNN probe: contrast and cohort of volumes that are held out of pretraining."""

    every: int = Field(5000, description="iterations between probes", ge=1)
    volumes: int = assumed(
        64,
        "an accuracy to 6 % (one standard error), at a thousandth of the paper's corpus",
        "volumes held out at most, whole subjects by hash, and no more than a fifth of all; "
        "0: neither held out nor probed",
        ge=0,
    )
    bank: int = assumed(
        256,
        "four a held-out volume; in float16 a third of a GiB",
        "volumes of the pretraining set, at most, among which those look for neighbours too",
        ge=0,
    )
    slices: int = assumed(8, "a few seconds a probe", "slices of each, evenly spread", ge=1)
    size: int = stated(256, "4.3", "pixels of a slice, square, as in the frozen evaluation", ge=1)
    neighbours: int = assumed(
        5, "a contrast may have so few held-out volumes", "neighbours that vote, by cosine", ge=1
    )


class Recipe(Strict):
    """One pretraining run (paper §4.2, stage 1)."""

    name: str
    title: str
    model: Model = Model()
    views: Views = Views()
    objective: Objective = Objective()
    optimisation: Optimisation = Optimisation()
    probe: Probe = Probe()
    continues: str | None = Field(
        None, description="recipe whose teacher, with its heads, this one starts from (stage 2)"
    )
    compile: bool = Field(False, description="torch.compile the blocks; rounding may differ")
    recompute: bool = Field(
        False, description="recompute blocks in the backward pass: less memory, a third slower"
    )
    log_every: int = Field(50, description="iterations between lines of metrics.jsonl", ge=1)
    tensorboard: bool = Field(
        False, description="write the metrics for TensorBoard too, where it is installed"
    )
    checkpoint_every: int = Field(1000, description="iterations between checkpoints", ge=1)
    keep_checkpoints: int = Field(3, description="checkpoints kept", ge=1)

    @model_validator(mode="after")
    def _warmup_fits(self):
        if self.optimisation.warmup >= self.optimisation.iterations:
            raise ValueError(
                f"warmup ({self.optimisation.warmup}) must be below iterations "
                f"({self.optimisation.iterations})"
            )
        return self
