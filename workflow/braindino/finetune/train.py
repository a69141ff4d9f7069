"""Train one network on a label subset, epoch by epoch; an interrupted run goes on."""

import logging
from zlib import crc32

import torch
from torch.nn.parallel import DistributedDataParallel

from braindino.encoders.frozen import fingerprint
from braindino.files import written_whole
from braindino.finetune.network import parameter_groups
from braindino.pretrain.distributed import Ranks, is_shared, total
from braindino.probes.group import OPTIMISERS
from braindino.seeds import derive_rng, derive_seed

log = logging.getLogger(__name__)


class Finetuning:
    """Fine-tuning of one network.

    Within an initialised process group each process computes its share of every batch, and of
    what is predicted; the network and its predictions become those of one process.

    Parameters
    ----------
    network : braindino.finetune.network.VolumeNetwork
        On its device.
    load : function
        Returns the slices of a row of the samples' table, Tensor [n, height, width].
    loss : function of braindino.probes.losses
    finetune : braindino.settings.finetune.Finetune
    protocol : braindino.settings.probes.Probes
        The task's own: optimiser, the head's rate, epochs, patience.
    """

    def __init__(self, network, load, loss, finetune, protocol):
        self.network, self.load, self.loss = network, load, loss
        self.finetune, self.protocol = finetune, protocol
        self.device = next(network.parameters()).device
        self.ranks = Ranks()
        self.trained = DistributedDataParallel(network) if is_shared() else network
        groups = parameter_groups(network, finetune, protocol)
        self.optimiser = OPTIMISERS[protocol.optimiser](groups)
        self.epoch, self.stale, self.best, self.kept = 0, 0, float("inf"), None

    def fit(self, draw, checkpoint, seed):
        """Train until the epochs end or patience does; keep the best epoch (§4.4: as frozen).

        Parameters
        ----------
        draw : braindino.probes.probe.Draw
        checkpoint : Path
            Written after every epoch; training goes on from one of the same start: network,
            labels and settings but for the number of epochs.
        seed : int
            Of the order of volumes.
        """
        self.start = self._fingerprint(draw, seed)
        if checkpoint.is_file():
            self._restore(checkpoint)
        while True:
            self._judge(draw)
            self._save(checkpoint)
            if self.epoch == self.protocol.epochs or self.stale > self.protocol.patience:
                break
            with torch.random.fork_rng(devices=[]):  # dropout's; of a GPU, its own
                torch.manual_seed(derive_seed(seed, self.epoch) + self.ranks.rank)
                self._learn(draw, derive_rng(seed, self.epoch).permutation(len(draw.fit)))
            self.epoch += 1
        self.network.load_state_dict(self.kept)

    @torch.no_grad()
    def predict(self, places):
        """Return the outputs of samples [n, outputs], on the CPU."""
        self.network.eval()
        outputs = torch.zeros(len(places), self.network.outputs, device=self.device)
        for number in range(len(places))[self._own]:
            outputs[number] = self.network(self._slices([places[number]]))[0].float()
        return total(outputs).cpu()

    def _judge(self, draw):
        outputs = self.predict(draw.validate)
        score = self._loss(outputs, draw.targets[draw.validate]).item()
        self.stale += 1
        if score < self.best:
            self.best, self.stale = score, 0
            self.kept = {k: v.detach().cpu().clone() for k, v in self.network.state_dict().items()}

    def _learn(self, draw, order):
        order = draw.fit[order]
        self.network.train()
        for start in range(0, len(order), self.finetune.batch):
            batch, share = self._share(order[start : start + self.finetune.batch])
            self.optimiser.zero_grad()
            outputs = self.trained(self._slices(batch))
            loss = self._loss(outputs, draw.targets[batch].to(self.device))
            (loss * share).backward()
            self.optimiser.step()

    @property
    def _own(self):
        return slice(self.ranks.rank, None, self.ranks.size)

    def _share(self, batch):
        """Return this process' part of a batch, and its weight: gradients become their mean.

        Of a batch with fewer volumes than there are processes each takes all.
        """
        if len(batch) < self.ranks.size:
            return batch, 1.0
        own = batch[self._own]
        return own, len(own) * self.ranks.size / len(batch)

    def _slices(self, places):
        return torch.stack([self.load(place) for place in places]).to(self.device)

    def _loss(self, outputs, targets):
        weights = torch.full((1, len(targets)), 1 / len(targets), device=outputs.device)
        return self.loss(outputs[None], targets[None], weights)[0]

    def _fingerprint(self, draw, seed):
        """Say in a line what training starts from, before its first step."""
        settings = self.protocol.model_copy(update={"epochs": 0, "patience": 0})
        labels = [part.tobytes() for part in (draw.fit, draw.validate, draw.targets.numpy())]
        digest = crc32(b"".join(labels), fingerprint(self.network))
        return f"{digest} {seed} {self.finetune!r} {settings!r}"

    def _save(self, checkpoint):
        if not self.ranks.leads:
            return
        state = {name: getattr(self, name) for name in ("start", "epoch", "stale", "best", "kept")}
        state |= {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
        with written_whole(checkpoint) as part:
            torch.save(state, part)

    def _restore(self, checkpoint):
        """Go on after the epoch that a checkpoint ends with; that epoch was judged already."""
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        if state.pop("start", None) != self.start:
            log.info("%s is of another training, which is started anew", checkpoint)
            return
        self.network.load_state_dict(state.pop("network"))
        self.optimiser.load_state_dict(state.pop("optimiser"))
        for name, value in state.items():
            setattr(self, name, value)
        self.stale -= 1  # judging the same epoch again counts once
