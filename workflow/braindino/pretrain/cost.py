"""What a recipe costs on a machine: time, disk and the loader's rate."""

from typing import NamedTuple

from braindino.corpus.disk import show_bytes
from braindino.pretrain.flops import shape_of, slice_flops
from braindino.settings.plan import PEAK_TFLOPS

VOXEL_BYTES = 2  # shards are float16
# A checkpoint holds the student, the teacher and AdamW's two moments, in float32.
PARAMETER_BYTES = 4 * 4


class Cost(NamedTuple):
    """What a recipe costs on a machine; bytes, FLOPs, and hours of one GPU."""

    flops: dict[str, float]
    slices: int
    corpus: int
    gpu_hours: float
    slices_per_second: float
    shard_bytes: int
    image_bytes: int
    checkpoint_bytes: int


def cost(recipe, plan, imaging):
    """Work out what a recipe costs.

    Parameters
    ----------
    recipe : settings.pretrain.Recipe
    plan : settings.plan.Plan
        Machine and corpus.
    imaging : settings.imaging.Imaging
        Size and number of a volume's slices.

    Returns
    -------
    Cost
    """
    channels = 1 if recipe.views.channels == "slice" else 3
    shape = shape_of(recipe.model, channels)
    flops = slice_flops(shape, recipe.views, recipe.objective)
    slices = recipe.optimisation.iterations * recipe.optimisation.batch
    reached = PEAK_TFLOPS[plan.gpu] * 1e12 * plan.utilisation
    _, height, width = imaging.shape
    return Cost(
        flops=flops,
        slices=slices,
        corpus=plan.volumes * imaging.slices,
        gpu_hours=slices * sum(flops.values()) / reached / 3600,
        slices_per_second=plan.gpus * reached / sum(flops.values()),
        shard_bytes=plan.volumes * imaging.slices * VOXEL_BYTES * height * width,
        image_bytes=channels * VOXEL_BYTES * height * width,
        checkpoint_bytes=PARAMETER_BYTES * shape.parameters,
    )


def show_cost(found, recipe, plan):
    """Print a cost as lines of name and value."""
    flops, days = sum(found.flops.values()), found.gpu_hours / plan.gpus / 24
    parts = ", ".join(f"{name} {count / 1e12:.2g}" for name, count in found.flops.items())
    steps, rate = recipe.optimisation, found.slices_per_second
    rows = {
        "recipe": f"{recipe.name}: {recipe.title}",
        "machine": f"{plan.gpus} × {plan.gpu}: {PEAK_TFLOPS[plan.gpu]:g} TFLOP/s each in bfloat16, "
        f"of which {100 * plan.utilisation:.0f} % are reached",
        "FLOPs": f"{flops / 1e12:.2g} TFLOP a slice: {parts}",
        "slices": f"{found.slices:,}: {steps.iterations:,} iterations of {steps.batch:,}, "
        f"{_number(found.slices / found.corpus)} epochs of {found.corpus:,}",
        "time": f"{_number(found.gpu_hours)} {plan.gpu}-hours, {_number(days)} days here",
        "shards": f"{show_bytes(found.shard_bytes)} for {plan.volumes:,} volumes",
        "loader": f"{_number(rate)} slices/s, {_number(rate * found.image_bytes / 2**20)} MiB/s",
        "checkpoint": f"{show_bytes(found.checkpoint_bytes)}, {recipe.keep_checkpoints} are kept",
    }
    return "\n".join(f"{name:<12}{text}" for name, text in rows.items())


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"
