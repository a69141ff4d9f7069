"""The encoder contract: a frozen network of which vectors and tokens are read (paper §4.3)."""

import math
from typing import NamedTuple

import torch

from braindino.device import has_bf16
from braindino.encoders.feeding import make_images, told
from braindino.encoders.frozen import assert_frozen, fingerprint, freeze
from braindino.encoders.reading import axial_planes, layer_modules, patches, pool, watch
from braindino.errors import BadInput


class Readout(NamedTuple):
    """What one pass reads of n volumes; float32, on the CPU.

    Attributes
    ----------
    embedding : Tensor [n, dim]
    patch_mean : Tensor [n, dim]
        Mean patch token of the axial range; the embedding where a network has no patch tokens.
    layers : dict of Tensor [n, dim]
        What the embedding is of the last layer, of the depths early, mid and late.
    """

    embedding: torch.Tensor
    patch_mean: torch.Tensor
    layers: dict


class Encoder:
    """A frozen network behind its card: volumes in, vectors out.

    A volume of a 2-D encoder is the mean of its slices (§4.3).

    Parameters
    ----------
    network : torch.nn.Module
        Put in eval mode for good, its gradients switched off.
    card : braindino.settings.encoders.EncoderCard
        Says what is read of the network.
    view : braindino.settings.views.SliceView or VolumeView
        Says what the volumes are.
    device : torch.device
    batch : int, optional
        Slices of 256 x 256 in a forward pass, of other inputs as many as have their pixels; by
        default 64, and 8 on a CPU, whose cache holds no more.
    axial_range : pair of float
        Part of the axial planes, from below, over which patch tokens are averaged.
    bf16 : bool, optional
        Whether matrices are multiplied in bfloat16; by default where the device has it.
    """

    def __init__(self, network, card, view, device, batch=None, axial_range=(0, 1), bf16=None):
        self.network = freeze(network.to(device))
        self.card, self.view, self.device = card, view, device
        self.batch = batch or (8 if device.type == "cpu" else 64)
        self.axial_range = axial_range
        self.bf16 = has_bf16(device) if bf16 is None else bf16
        self._last = None  # block, where it is lean
        if type(network).__module__.startswith("timm."):
            from braindino.encoders.lean import lean_blocks  # slow to import, for timm's alone

            self._last = lean_blocks(network, device, self.bf16)
        self._outputs, watched = {}, layer_modules(network, card)
        self._expected = {*watched, *(["tokens"] if card.tokens else [])}
        if card.tokens:
            watch(network, "tokens", card.tokens, card, self._outputs.__setitem__)
        for depth, module in watched.items():
            watch(network, depth, module, card, self._keep_layer)
        self._state = fingerprint(network)

    def embed(self, volumes, modalities=None):
        """Return one vector a volume, Tensor [n, dim]; the arguments are those of `read`."""
        return self.read(volumes, modalities).embedding

    def layers(self, volumes, modalities=None):
        """Return {early, mid, late: Tensor [n, dim]}; the arguments are those of `read`."""
        return self.read(volumes, modalities).layers

    @torch.inference_mode()
    def tokens(self, volumes, modalities=None):
        """Return patch tokens on their grid; the arguments are those of `read`.

        Returns
        -------
        Tensor [n, slices, rows, columns, dim] or [n, x, y, z, dim], float32, on the CPU
            In the order and direction of the input's axes.

        Raises
        ------
        BadInput
            When the encoder has none.
        """
        grids = [
            patches(out, self.card, shape) for out, shape in self._forward(volumes, modalities)
        ]
        if grids[0] is None:
            raise BadInput(f"encoder {self.card.name}: it has no patch tokens.")
        tokens = torch.cat(grids).cpu()
        return tokens.unflatten(0, (len(volumes), -1)) if self._sliced else tokens

    @torch.inference_mode()
    def read(self, volumes, modalities=None):
        """Read all that is kept of some volumes, in one pass.

        Parameters
        ----------
        volumes : Tensor [n, slices, rows, columns] or [n, x, y, z]
            As `imaging.views.encoder_input` returns each.
        modalities : list of str, optional
            Contrast of each volume, which some networks are told.

        Returns
        -------
        Readout
        """
        turns = self._turns(volumes)
        parts = [
            self._vectors(*out, kept)
            for rows, kept in turns
            for out in self._forward(volumes, modalities, rows, kept)
        ]
        place = torch.cat([rows for rows, _ in turns]).argsort()
        vectors = {key: torch.cat([part[key] for part in parts]).cpu()[place] for key in parts[0]}
        if self._sliced:
            vectors = self._mean_slices(vectors, len(volumes))
        return Readout(vectors.pop("embedding"), vectors.pop("patch_mean"), vectors)

    def group(self, shape):
        """Return how many volumes of `shape` to give at a time, so that batches are full."""
        size = self._pass_size(shape[1:] if self._sliced else shape)
        return math.ceil(4 * size / shape[0]) if self._sliced else size

    def assert_frozen(self):
        """Raise AssertionError where the network left eval mode, has a gradient or changed."""
        assert_frozen(self.network, self._state)

    @property
    def _sliced(self):
        return self.view.kind == "slices"

    def _pass_size(self, shape):
        return max(1, self.batch * 256**2 // math.prod(shape))

    def _every(self, volumes):
        return torch.arange(volumes.shape[:2].numel() if self._sliced else len(volumes))

    def _turns(self, volumes):
        """Return pairs of images and of how many of their tokens are read; None: all.

        Of slices outside the axial range only the class token is.
        """
        every = self._every(volumes)
        read = self.card.tokens, self.card.embedding
        if not (self._sliced and self._last and read == ("norm", "cls")):
            return [(every, None)]
        planes = axial_planes(volumes.shape[1], self.axial_range)
        inside = torch.isin(every % volumes.shape[1], planes)
        turns = [(every[inside], None), (every[~inside], 1)]
        return [(rows, kept) for rows, kept in turns if len(rows)]

    def _forward(self, volumes, modalities, rows=None, kept=None):
        """Yield (output, shape of an image) of every batch of images, of all or of some rows."""
        shape = volumes.shape[2:] if self._sliced else volumes.shape[1:]
        rows = self._every(volumes) if rows is None else rows
        for part in rows.split(self._pass_size(shape)):
            images = make_images(volumes, part, self.view, self.device)
            volume = part // volumes.shape[1] if self._sliced else part
            output = self._run(images, told(self.card, modalities, volume), kept)
            yield self._outputs.pop("tokens", output), shape

    def _run(self, images, names, kept):
        self._outputs.clear()
        if self._last:
            self._last.kept = kept
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            output = self.network(images, *names)
        if self._last:
            self._last.kept = None
        if silent := self._expected - set(self._outputs):
            raise BadInput(
                f"encoder {self.card.name}: the module that its card names for "
                f"'{sorted(silent)[0]}' takes no part in a forward pass."
            )
        return output

    def _keep_layer(self, depth, output):
        self._outputs[depth] = pool(output, self.card)

    def _vectors(self, output, shape, kept):
        embedding = pool(output, self.card)
        grid = None if kept else patches(output, self.card, shape)
        if grid is not None and not self._sliced:
            grid = self._axial_part(grid)
        patch_mean = embedding if grid is None else grid.flatten(1, -2).mean(1)
        return {"embedding": embedding, "patch_mean": patch_mean, **self._outputs}

    def _axial_part(self, grid):
        """Keep the axial range of patch tokens [batch, *grid, dim] of whole volumes."""
        axis = next(i for i, code in enumerate(self.view.axcodes) if code in "SI")
        downwards = self.view.axcodes[axis] == "I"
        planes = axial_planes(grid.shape[axis + 1], self.axial_range, downwards)
        return grid.index_select(axis + 1, planes.to(grid.device))

    def _mean_slices(self, vectors, volumes):
        """Average the vectors of slices, those of patch tokens over the axial range."""
        vectors = {key: value.unflatten(0, (volumes, -1)) for key, value in vectors.items()}
        planes = axial_planes(vectors["embedding"].shape[1], self.axial_range)
        vectors["patch_mean"] = vectors["patch_mean"][:, planes]
        return {key: value.double().mean(1).float() for key, value in vectors.items()}
