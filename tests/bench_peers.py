"""Peers measured in a process of their own, so that the peak of its memory is theirs alone.

``python tests/bench_peers.py`` makes lightly-train's training steps and prints what they cost as
one JSON object.
"""

import json
import random
import re
import statistics
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import torch

REPEATS = 3
GLOBAL, LOCAL = (2, 256), (8, 112)  # crops of a slice, and their pixels (paper section 4.2)


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


def peak_mib():
    """Return the largest resident memory of this process so far.

    Of this program's own memory: `ru_maxrss` starts at that of the process that started it.
    """
    return int(re.search(r"VmHWM:\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) / 1024


def main():
    torch.set_num_threads(2)
    import_module("lightly_train._methods.dinov2.dinov2")
    imported = peak_mib()
    step = LightlyStep()
    step()  # the first also allocates the optimiser's moments
    clocks = []
    for _ in range(REPEATS):
        start = time.perf_counter(), time.process_time()
        step()
        clocks.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, processor = map(statistics.median, zip(*clocks, strict=True))
    parameters = [p for group in step.optimiser.param_groups for p in group["params"]]
    result = {
        "seconds_per_step": wall,
        "cpu_seconds_per_step": processor,
        "peak_mib": peak_mib(),
        "imported_mib": imported,
        "parameters": sum(p.numel() for p in parameters),
        "masked_patches": step.masked[-REPEATS:],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
