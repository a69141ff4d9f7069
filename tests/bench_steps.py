"""Training steps, each trainer's in a process of its own, so that the peak of memory is its own.

``python tests/bench_steps.py ours`` and ``… lightly`` make steps of pretraining, ``… frozen`` and
``… trained`` of segmentation; they print what these cost as one JSON object. ``… profile`` says
which share of ours are matrix products.
"""

import json
import random
import re
import sys
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

WARM_UP = 3  # allocates the optimiser's moments, and the memory that later steps reuse
REPEATS = 3
PRODUCTS = {"aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::mv", "aten::linear"}
CLIP = 12  # norm of a segmentation's gradient, nnU-Net's own
GLOBAL, LOCAL = (2, 256), (8, 112)  # crops of a slice, and their pixels (paper section 4.2)


class OurStep:
    """One training step of this project's, at the same size."""

    def __init__(self, batch=8, prototypes=65536):
        from braindino.pretrain.masking import mask_ratios, random_mask
        from braindino.pretrain.objective import Batch
        from braindino.pretrain.run import Run
        from braindino.settings.pretrain import Recipe

        recipe = Recipe(
            name="bench",
            title="ViT-S/16",
            model={"architecture": "vit_small_patch16_dinov3", "prototypes": prototypes},
            optimisation={"batch": batch, "device_batch": batch},
        )
        draws = np.random.default_rng(0)
        ratios = mask_ratios(GLOBAL[0] * batch, 0.5, (0.1, 0.5), draws)
        masks = np.stack([random_mask((16, 16), ratio, draws) for ratio in ratios])
        rng = torch.Generator().manual_seed(0)
        crops = [
            torch.randn(count * batch, 1, size, size, generator=rng)
            for count, size in (GLOBAL, LOCAL)
        ]
        self.batch = Batch(*crops, torch.from_numpy(masks))
        self.run = Run(recipe, 0, torch.device("cpu"))
        self.optimiser = self.run.optimiser
        self.masked = [int(masks.sum())]

    def __call__(self):
        """Make one step; return its loss."""
        return self.run.step([self.batch])["loss"]


class SegmentationStep:
    """One training step of the 2-D segmentation network at ViT-B, as its nnU-Net trainer makes it.

    Its batch waits in memory; `augment` makes one as the trainer's loader does from patches.
    """

    def __init__(self, frozen, batch=4, size=256):
        from nnunetv2.training.loss.compound_losses import DC_and_BCE_loss

        from braindino.segmentation.network import SegmentationNetwork
        from braindino.segmentation.optimiser import parameter_groups
        from braindino.settings.load import load_card
        from braindino.settings.segmentation import Segmentation

        rng = torch.Generator().manual_seed(0)
        self.patches = torch.randn(batch, 4, size, size, generator=rng)
        self.regions = torch.rand(batch, 3, size, size, generator=rng) < 0.1
        card = load_card("encoders", "dinov3")
        self.network = SegmentationNetwork(4, 3, card.model_dump(mode="json"), "fuse", frozen)
        self.network.train()
        protocol = Segmentation()
        groups = parameter_groups(self.network, protocol)
        self.optimiser = torch.optim.AdamW(groups, betas=protocol.betas)
        dice = {"batch_dice": True, "do_bg": True, "smooth": 1e-5, "ddp": False}
        self.loss = DC_and_BCE_loss({}, dice)

    def __call__(self):
        """Make one step; return its loss."""
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(self.network(self.patches), self.regions)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimiser.step()
        return loss.item()

    def augment(self):
        """Augment a batch: rotated, scaled and so on from patches as large as that takes."""
        from braindino.segmentation.trainer.braindino_trainer import BrainDINOTrainer

        side = self.patches.shape[-1]
        transforms = BrainDINOTrainer.get_training_transforms(
            (side, side), (-np.pi, np.pi), None, (0, 1), False, [True] * 4,
            regions=[(1, 2, 3), (2, 3), 3],
        )  # fmt: skip
        large = round(side * 1.42 / 0.85)  # the corners of a turned patch, enlarged
        label = torch.zeros(1, large, large, dtype=torch.int16)
        for _ in self.patches:
            transforms(image=torch.randn(4, large, large), segmentation=label.clone())


class LightlyStep:
    """One training step of lightly-train's DINOv2: its model, losses, masks, optimiser and EMA.

    A call does with the method's own hooks, in their order, what Lightning's loop does in
    ``bf16-mixed`` precision; nothing is loaded, augmented or logged. Against lightly-train's
    defaults: patches of 16 pixels for 14, Sinkhorn-Knopp for the mean as centre, a second head for
    patches, and drop path of 0.2 for 0.3, as in the paper's recipe. Its blocks compute no more than
    the samples that drop path keeps (12 of 16 global crops, 51 of 64 local ones).

    Parameters
    ----------
    batch : int
        Slices a step; two global and eight local crops of each, of three random channels.
    prototypes : int
        Prototypes of each head.
    """

    def __init__(self, batch=8, prototypes=65536):
        random.seed(0)  # draws the masks
        torch.manual_seed(0)
        sizes = [size for crops, size in (GLOBAL, LOCAL) for _ in range(crops)]
        self.views = [torch.randn(batch, 3, size, size) for size in sizes]
        self.method = _lightly_method(batch, prototypes)
        (self.optimiser,), (schedule,) = self.method.configure_optimizers()
        self.schedule = schedule["scheduler"]
        self.masked = []
        self.method.student_head.ibot_head.mlp.register_forward_pre_hook(
            lambda mlp, tokens: self.masked.append(len(tokens[0]))
        )

    def __call__(self):
        """Make one step; return its loss."""
        method, optimiser, trainer = self.method, self.optimiser, self.method.trainer
        views = {"views": self.views}
        with trainer.precision_plugin.forward_context():
            loss = method.training_step_impl(views, trainer.global_step).loss
        optimiser.zero_grad()
        loss.backward()
        method.on_before_optimizer_step(optimiser)
        method.configure_gradient_clipping(optimiser)
        optimiser.step()
        self.schedule.step()
        trainer.global_step += 1
        method.on_train_batch_end(None, views, trainer.global_step)
        return loss.item()


def _lightly_method(batch, prototypes):
    from lightly_train._methods.dinov2.dinov2 import DINOv2, DINOv2AdamWViTArgs, DINOv2Args
    from lightly_train._models import package_helpers
    from lightly_train._models.embedding_model import EmbeddingModel
    from lightly_train._scaling import IMAGENET_SIZE, ScalingInfo
    from pytorch_lightning.plugins.precision import MixedPrecision

    changed = {"patch_size": 16, "img_size": GLOBAL[1], "drop_path_rate": 0.2}
    vit = package_helpers.get_wrapped_model(
        "dinov2/vits14", num_input_channels=3, model_args=changed, load_weights=False
    )
    arguments, adamw = DINOv2Args(), DINOv2AdamWViTArgs()
    arguments.output_dim = prototypes
    arguments.ibot_separate_head, arguments.center_method = True, "sinkhorn_knopp"
    arguments.resolve_auto(ScalingInfo(IMAGENET_SIZE, epochs=100), adamw, vit)
    method = DINOv2(arguments, adamw, EmbeddingModel(vit), batch, num_input_channels=3)
    # All that the method asks of a trainer.
    method.trainer = SimpleNamespace(
        global_step=0,
        max_epochs=-1,
        estimated_stepping_batches=DINOv2.RECOMMENDED_MIN_STEPS,
        gradient_clip_val=None,
        gradient_clip_algorithm=None,
        precision_plugin=MixedPrecision("bf16-mixed", "cpu"),
    )
    return method


OURS, SEGMENTATION = "braindino.pretrain.run", "braindino.segmentation.training"
STEPS = {
    "ours": (OURS, OurStep),
    "profile": (OURS, OurStep),
    "lightly": ("lightly_train._methods.dinov2.dinov2", LightlyStep),
    "frozen": (SEGMENTATION, lambda: SegmentationStep(frozen=True)),
    "trained": (SEGMENTATION, lambda: SegmentationStep(frozen=False)),
}


def peak_mib():
    """Return the largest resident memory of this process so far.

    Of this program's own memory: `ru_maxrss` starts at that of the process that started it.
    """
    return int(re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def main(name):
    torch.set_num_threads(2)
    module, make = STEPS[name]
    import_module(module)
    imported = peak_mib()
    step = make()
    for _ in range(WARM_UP):
        step()
    if name == "profile":
        print(json.dumps(profile(step)))
        return
    clocks = []
    for _ in range(REPEATS):
        start = time.perf_counter(), time.process_time()
        step()
        clocks.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, processor = map(min, zip(*clocks, strict=True))
    augmenting = time.perf_counter()
    if hasattr(step, "augment"):
        step.augment()
    augmenting = time.perf_counter() - augmenting
    parameters = [p for group in step.optimiser.param_groups for p in group["params"]]
    result = {
        "seconds_per_step": wall,
        "cpu_seconds_per_step": processor,
        "peak_mib": peak_mib(),
        "imported_mib": imported,
        "parameters": sum(p.numel() for p in parameters),
        "masked_patches": getattr(step, "masked", [None])[-1],
        "augmenting_seconds": augmenting,
    }
    print(json.dumps(result))


def profile(step):
    """Return the share of a step's operators that are matrix products, and the next largest."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
        step()
    spent = {event.key: event.self_cpu_time_total for event in profiler.key_averages()}
    whole = sum(spent.values())
    products = sum(time for name, time in spent.items() if name in PRODUCTS)
    rest = sorted(((t, n) for n, t in spent.items() if n not in PRODUCTS), reverse=True)[:8]
    return {"products": products / whole, "rest": {n: round(t / whole, 3) for t, n in rest}}


if __name__ == "__main__":
    main(*sys.argv[1:])
