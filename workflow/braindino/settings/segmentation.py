"""Protocol of segmentation inside nnU-Net (paper sections 2.1, 2.7 and 4.3.1)."""

from typing import Literal

from braindino.settings.base import Strict, assumed, stated


class Segmentation(Strict):
    """Frozen encoder, trained decoder.

    What §4.3.1 states and nnU-Net does anyway is not listed here: Dice and cross-entropy, its
    augmentation, gradients clipped to a norm of 12, mixed precision on a GPU.
    """

    encoders: list[str] | None = assumed(
        None,
        "whatever encoder has a card that says how",
        "encoders to segment with; null: all of the run's whose card has 'segmentation'",
    )
    ratios: list[float] = stated(
        [0.1, 0.2, 0.4, 0.6, 0.8, 1.0], "2.1", "shares of the training cases, of label_ratios"
    )
    preset: Literal["paper", "native"] = stated(
        "paper", "4.3.1", "four contrasts in 3-D encoders: paper: repeated; native: each one's own"
    )
    optimiser: Literal["adamw"] = stated(
        "adamw", "4.3.1", "optimiser; betas are the released code's"
    )
    learning_rate: float = assumed(
        3e-4, "the released code's of the decoder", "rate of what is not the encoder", gt=0
    )
    encoder_learning_rate: float = assumed(
        3e-5,
        "the released code's, which trains the encoder although the paper freezes it",
        "rate of the encoder in full fine-tuning alone",
        gt=0,
    )
    betas: tuple[float, float] = assumed((0.9, 0.98), "the released code's", "of AdamW")
    weight_decay: float = assumed(0.05, "the released code's", "of AdamW", ge=0)
    epochs: int = stated(100, "4.3.1", "epochs; the released code has 300", ge=1)
    iterations: int = stated(250, "4.3.1", "training iterations an epoch", ge=1)
    validation_iterations: int = stated(50, "4.3.1", "validation iterations an epoch", ge=1)
    schedule_2d: Literal["linear", "poly"] = assumed(
        "linear",
        "§4.3.1 states one for the 3-D baselines alone; the released code's",
        "fall of the rate of 2-D encoders: linear: to zero over the epochs; poly: as schedule_3d",
    )
    poly_epochs: int = stated(
        1000, "4.3.1", "epochs over which the rate of 3-D encoders falls (PolyLR)", ge=1
    )
    batch_2d: int = assumed(
        32, "the released code takes a plan's, which is not released", "slices a step", ge=1
    )
    batch_3d: int = assumed(2, "nnU-Net's own of such patches", "volumes a step", ge=1)
    foreground: float = assumed(
        0.33, "nnU-Net's own", "share of a batch that must show tumour", ge=0, le=1
    )
    checkpoint: Literal["final", "best"] = assumed(
        "final",
        "the released code predicts with the best on the very cases it reports ('best'); the end "
        "of training looks at no test case",
        "weights that predict",
    )
    mirroring: bool = assumed(
        True, "nnU-Net's own", "average predictions over the mirrored copies of a case"
    )
