"""An epoch of a head as one call of compiled code; none where there is no C compiler."""

import ctypes
import functools
import logging
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import torch

from braindino.probes.group import Group
from braindino.probes.losses import ALPHA, CODES, DELTA
from braindino.probes.minibatches import epoch_batches

SOURCE = Path(__file__).with_suffix(".c")
# Without start files, which would make the whole process round tiny numbers to 0.
FLAGS = "-O3 -march=native -ffast-math -std=gnu11 -fPIC -shared -nostartfiles"
log = logging.getLogger(__name__)


@functools.cache
def compiled_epoch(dim, hidden, outputs, batch):
    """Compile `compiled.c` for heads of one shape, with the compiler that CC names, or cc.

    Returns
    -------
    function or None
        None where that fails: then torch's operations do the same.
    """
    sizes = {"DIM": dim, "HIDDEN": hidden, "OUTPUTS": outputs, "BATCH": batch}
    sizes |= {"ALPHA": f"{ALPHA}f", "DELTA": f"{DELTA}f"}
    compiler = [*shlex.split(os.environ.get("CC", "cc")), *shlex.split(FLAGS)]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "epoch.so")
        given = [*(f"-D{name}={value}" for name, value in sizes.items()), str(SOURCE)]
        command = [*compiler, *given, "-o", str(made), "-lm"]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True)
            return ctypes.CDLL(str(made)).epoch
        except (OSError, subprocess.CalledProcessError) as error:
            why = getattr(error, "stderr", None) or error
            log.info("heads train without compiled code, several times slower: %s", why)
            return None


class CompiledGroup(Group):
    """A group of one head: its weights and moments stay in the cache from step to step.

    Parameters
    ----------
    epoch : function
        Of `compiled_epoch`.
    others
        As those of Group.
    """

    def __init__(self, epoch, *given):
        super().__init__(*given)
        self.epoch, self.done = epoch, 0

    def _learn(self):
        rows, targets, _ = (part[0] for part in self.fit)
        drawn = epoch_batches([len(rows)], self.orders, False, self.protocol)[:, 0]
        there, drawn = (drawn >= 0).float(), drawn.clamp(min=0)
        keep = [self._dropout(self.protocol.batch) for _ in drawn] if self.protocol.dropout else []
        blocks = [
            *(self.heads.flat.detach(), *self.adam, self.normed, rows[drawn]),
            *(targets[drawn].float(), there / there.sum(1, keepdim=True)),
            torch.cat(keep) if keep else None,
        ]
        self.epoch(*map(_pointer, blocks), *self._numbers(len(drawn)))
        self.done += len(drawn)

    def _numbers(self, steps):
        protocol = self.protocol
        whole = ctypes.c_int64(steps), ctypes.c_int64(self.done), ctypes.c_int(CODES[self.loss])
        rates = ctypes.c_double(protocol.learning_rate), ctypes.c_double(protocol.weight_decay)
        return *whole, *rates, ctypes.c_int(protocol.optimiser == "adamw")

    def _optimiser(self, heads):
        """Return Adam's two moments."""
        return torch.zeros(2, len(heads.flat))


def _pointer(block):
    return None if block is None else ctypes.c_void_p(block.contiguous().data_ptr())
