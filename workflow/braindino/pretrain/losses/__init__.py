"""Terms of the pretraining objective (paper section 4.2), as pure functions in float32."""

from braindino.pretrain.losses.dino import dino_loss
from braindino.pretrain.losses.ibot import ibot_loss
from braindino.pretrain.losses.koleo import koleo_loss
from braindino.pretrain.losses.sinkhorn import sinkhorn

__all__ = ["dino_loss", "ibot_loss", "koleo_loss", "sinkhorn"]
