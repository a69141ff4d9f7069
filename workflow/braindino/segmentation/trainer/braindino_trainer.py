"""nnU-Net's trainer around an encoder (paper §4.3.1); found through `nnUNet_extTrainer`."""

import json
import logging
from pathlib import Path

import numpy as np
import torch
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from braindino.encoders.frozen import assert_frozen, fingerprint
from braindino.files import written_whole
from braindino.seeds import derive_seed
from braindino.segmentation.dataset import SUBSETS
from braindino.segmentation.optimiser import RateSchedule, parameter_groups, rate_share
from braindino.segmentation.plans import KEY
from braindino.settings.segmentation import Segmentation

GPU = torch.device("cuda")
log = logging.getLogger("braindino")


class BrainDINOTrainer(nnUNetTrainer):
    """Trains what is not frozen, on a share of the training cases; all else is nnU-Net's own."""

    def __init__(self, plans, configuration, fold, dataset_json, device=GPU):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.own = self.plans_manager.plans[KEY]
        self.protocol = protocol = Segmentation(**self.own["protocol"])
        self.num_epochs = protocol.epochs
        self.num_iterations_per_epoch = protocol.iterations
        self.num_val_iterations_per_epoch = protocol.validation_iterations
        self.initial_lr, self.weight_decay = protocol.learning_rate, protocol.weight_decay
        self.oversample_foreground_percent = protocol.foreground
        self.enable_deep_supervision = False
        self.save_every = 1  # an epoch is the most that a preempted job loses

    def initialize(self):
        """Build the network as plans say, and load the encoder's weights."""
        super().initialize()
        network = self._bare_network()
        if self.own["weights"]:
            network.load_encoder(self.own["weights"])
        trained = any(parameter.requires_grad for parameter in network.encoder.parameters())
        self.encoder_state = None if trained else fingerprint(network.encoder)

    def configure_optimizers(self):
        """AdamW over what is trained; the rate falls by epoch."""
        groups = parameter_groups(self.network, self.protocol)
        optimizer = torch.optim.AdamW(groups, betas=self.protocol.betas)
        share = rate_share(self.protocol, flat=len(self.configuration_manager.patch_size) == 2)
        return optimizer, RateSchedule(optimizer, share)

    def do_split(self):
        """Keep the cases of the label ratio; those of validation are always the same."""
        train, validation = super().do_split()
        file = Path(self.preprocessed_dataset_folder_base, SUBSETS)
        subset = set(json.loads(file.read_text())[self.own["ratio"]])
        return [case for case in train if case in subset], validation

    @staticmethod
    def get_training_transforms(*args, **kwargs):
        """nnU-Net's own; blurs do not choose their algorithm by a race, which differs each time."""
        transforms = nnUNetTrainer.get_training_transforms(*args, **kwargs)
        for transform in transforms.transforms:
            inner = getattr(transform, "transform", transform)
            if isinstance(inner, GaussianBlurTransform):
                inner.benchmark = False
        return transforms

    def on_train_epoch_start(self):
        """Draw the epoch's batches from a seed of its own, so that a continued run has the same."""
        super().on_train_epoch_start()
        seed = derive_seed(self.own["seed"], self.plans_manager.plans_name, self.current_epoch)
        # nnU-Net draws from the global generators.
        np.random.seed(seed % 2**32)  # noqa: NPY002
        torch.manual_seed(seed)

    def on_train_end(self):
        """Write the last checkpoint; a frozen encoder must be what it was, byte for byte."""
        if self.encoder_state is not None:
            assert_frozen(self._bare_network().encoder, self.encoder_state)
        super().on_train_end()

    def save_checkpoint(self, filename):
        """Write a checkpoint whole or not at all."""
        if self.local_rank == 0:
            with written_whole(filename) as part:
                super().save_checkpoint(str(part))

    def print_to_log_file(self, *args, also_print_to_console=True, add_timestamp=True):
        """Write to nnU-Net's own log, and to that of a job, where there is one, for the screen."""
        screen = also_print_to_console and not log.hasHandlers()
        super().print_to_log_file(*args, also_print_to_console=screen, add_timestamp=add_timestamp)
        if also_print_to_console and (text := " ".join(map(str, args)).strip()):
            log.info("%s", text)

    def plot_network_architecture(self):
        """Draw nothing: nnU-Net's way needs a package that is no longer kept."""

    def _do_i_compile(self):
        """Say no: hooks read the encoder's layers, around which a compiler would have to break."""
        return False

    def _bare_network(self):
        return self.network.module if self.is_ddp else self.network
