"""Train one network: an encoder on a share of a cohort; an interrupted training goes on."""

import json
import logging
import shutil
from pathlib import Path

from nnunetv2.run.run_training import get_trainer_from_args, maybe_load_checkpoint

from braindino.segmentation.names import FOLD
from braindino.segmentation.trainer.braindino_trainer import BrainDINOTrainer

log = logging.getLogger(__name__)


def train(dataset, configuration, plan, preprocessed, model, device):
    """Train by nnU-Net's plans, from its last checkpoint if it has one of the same plans.

    Parameters
    ----------
    dataset, configuration, plan : str
        nnU-Net's names.
    preprocessed : path
        Folder of the preprocessed data set.
    model : path
        nnU-Net's folder of the network.
    device : torch.device
    """
    _forget_others(model, Path(preprocessed, f"{plan}.json"))
    trainer = get_trainer_from_args(
        dataset,
        configuration,
        FOLD,
        BrainDINOTrainer.__name__,
        plan,
        continue_training=True,
        device=device,
    )
    maybe_load_checkpoint(trainer, continue_training=True, validation_only=False)
    if trainer.current_epoch:
        log.info("continued after epoch %d of %d", trainer.current_epoch, trainer.num_epochs)
    if trainer.current_epoch < trainer.num_epochs:
        trainer.run_training()


def _forget_others(model, plans):
    """Remove what was trained by other plans: settings, weights or code have changed."""
    kept = Path(model, "plans.json")
    if kept.is_file() and json.loads(kept.read_text()) != json.loads(plans.read_text()):
        shutil.rmtree(model)
