"""The batches of a run: slices read, views and masks drawn ahead of the step that takes them."""

from typing import NamedTuple

import numpy as np
import torch

from braindino.errors import BadInput
from braindino.imaging.pipeline import read_ahead
from braindino.pretrain.masking import mask_ratios, random_mask
from braindino.pretrain.objective import Batch
from braindino.pretrain.views import Draws, draw_views, make_views
from braindino.seeds import derive_rng


class Part(NamedTuple):
    """The slices that a device takes at once, and what is to be seen of them."""

    images: torch.Tensor  # [n, channels, height, width]
    large: Draws
    small: Draws
    sizes: tuple[int, int]  # pixels of global and of local crops
    masks: torch.Tensor  # bool [2 · n, rows, columns]


class Loader:
    """Batches as a function of the seed and the iteration, whatever the workers and the ranks.

    The batch of an iteration is a run of positions: a part of it goes to each rank in turn, and
    again until it is used up.

    Parameters
    ----------
    images : sequence
        The image of each position: float [channels, height, width].
    recipe : braindino.settings.pretrain.Recipe
    patch : (int, int)
        Pixels of a patch, down and across.
    seed : int
    device : torch.device
    ranks : braindino.pretrain.distributed.Ranks

    Raises
    ------
    BadInput
        When the batch cannot be shared out, or crops do not hold whole patches.
    """

    def __init__(self, images, recipe, patch, seed, device, ranks):
        self.images, self.recipe, self.patch = images, recipe, patch
        self.seed, self.device, self.ranks = seed, device, ranks
        self.size = part_size(recipe, ranks.size)
        _check_sizes(recipe, patch)

    def batches(self, first, last, workers):
        """Yield the parts of each iteration from `first` to `last - 1`, as lists of `Batch`.

        Parameters
        ----------
        workers : int
            Threads that read ahead. They make the views too where those are made on the CPU.
        """
        if self.device.type == "cpu":
            yield from read_ahead(range(first, last), self._show_all, max(1, workers))
        else:
            for parts in read_ahead(range(first, last), self._prepare, max(1, workers)):
                yield [self._show(part) for part in parts]

    def positions(self, iteration):
        """Return the positions of this rank's parts of an iteration, a range for each."""
        batch, step = self.recipe.optimisation.batch, self.ranks.size * self.size
        starts = range(self.ranks.rank * self.size, batch, step)
        return [range(iteration * batch + s, iteration * batch + s + self.size) for s in starts]

    def identify(self, iteration):
        """Return where every slice of an iteration comes from, on all ranks."""
        batch = self.recipe.optimisation.batch
        positions = range(iteration * batch, (iteration + 1) * batch)
        return [self.images.identify(position) for position in positions]

    def _show_all(self, iteration):
        return [self._show(part) for part in self._prepare(iteration)]

    def _prepare(self, iteration):
        views, objective = self.recipe.views, self.recipe.objective
        # The same pair of sizes on all ranks, as in the reference's second stage.
        pair = derive_rng(self.seed, "crop sizes", iteration).choice(
            len(views.size_ratios), p=views.size_ratios
        )
        crops = views.global_crops * self.recipe.optimisation.batch
        rng = derive_rng(self.seed, "masks", iteration)
        ratios = mask_ratios(crops, objective.mask_probability, objective.mask_ratio, rng)
        sizes = views.global_sizes[pair], views.local_sizes[pair]
        return [
            self._part(positions, sizes, ratios.reshape(-1, views.global_crops))
            for positions in self.positions(iteration)
        ]

    def _part(self, positions, sizes, ratios):
        images = torch.from_numpy(np.stack([self.images[position] for position in positions]))
        if self.device.type == "cuda":
            images = images.pin_memory()
        draws = [self._draw(position, images.shape[2:]) for position in positions]
        large, small = (
            Draws(*map(np.stack, zip(*kind, strict=True))) for kind in zip(*draws, strict=True)
        )
        return Part(images, large, small, sizes, self._masks(positions, sizes[0], ratios))

    def _draw(self, position, shape):
        views = self.recipe.views
        rng = derive_rng(self.seed, "views", position)
        if views.upsampled_size:
            shape = views.upsampled_size, views.upsampled_size
        large = draw_views(views.global_crops, shape, views.global_scale, views, rng)
        return large, draw_views(views.local_crops, shape, views.local_scale, views, rng)

    def _masks(self, positions, size, ratios):
        grid = size // self.patch[0], size // self.patch[1]
        masks = [
            random_mask(grid, ratio, derive_rng(self.seed, "mask", position, view))
            for view, of_view in enumerate(ratios.T)
            for position, ratio in zip(
                positions, of_view[[p % len(ratios) for p in positions]], strict=True
            )
        ]
        return torch.from_numpy(np.stack(masks))

    def _show(self, part):
        images = part.images.to(self.device, non_blocking=True)
        upsampled = self.recipe.views.upsampled_size
        return Batch(
            make_views(images, part.large, part.sizes[0], upsampled),
            make_views(images, part.small, part.sizes[1], upsampled),
            part.masks.to(self.device, non_blocking=True),
        )


def part_size(recipe, ranks):
    """Return how many slices a rank takes at once, so that as few parts as can be make the batch.

    Raises
    ------
    BadInput
        When the batch cannot be shared out evenly.
    """
    batch, most = recipe.optimisation.batch, recipe.optimisation.device_batch
    parts = -(-batch // (ranks * most))
    if batch % (ranks * parts) or batch < 2 * ranks * parts:
        raise BadInput(
            f"recipe {recipe.name}: optimisation.batch = {batch} cannot be shared out over {ranks} "
            f"processes in {parts} parts of two slices or more; change batch or device_batch"
        )
    return batch // (ranks * parts)


def _check_sizes(recipe, patch):
    for key in ("global_sizes", "local_sizes"):
        for size in getattr(recipe.views, key):
            if any(size % side for side in patch):
                raise BadInput(
                    f"recipe {recipe.name}: {size} in views.{key} is not a multiple of the "
                    f"model's {patch[0]}-pixel patches"
                )
