"""Where nnU-Net looks: its three folders, our trainer, and how many processes it starts."""

import os
from pathlib import Path

TRAINER = Path(__file__).with_name("trainer")  # holds the trainer alone: nnU-Net imports all of it


def nnunet_environment(root, processes=0):
    """Set nnU-Net's environment variables for this process.

    Parameters
    ----------
    root : path
        Folder of raw, preprocessed and results.
    processes : int
        That load and augment; 0: this one does, and the same seed gives the same network.

    Returns
    -------
    dict
        The variables, for those who start nnU-Net's own commands.
    """
    root = Path(root).resolve()
    variables = {
        **{f"nnUNet_{part}": str(root / part) for part in ("raw", "preprocessed", "results")},
        "nnUNet_extTrainer": str(TRAINER),
        "nnUNet_n_proc_DA": str(processes),
        "nnUNet_def_n_proc": str(max(1, processes)),
    }
    os.environ.update(variables)
    return variables
