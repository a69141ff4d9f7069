"""What this machine holds: availability decides what is planned, and silence never does."""

from pathlib import Path
from typing import NamedTuple

from braindino.errors import BadInput
from braindino.settings.encoders import Weights


class Availability(NamedTuple):
    """One cohort, recipe, encoder or task of a run, and whether it can be used."""

    kind: str
    name: str
    status: str
    reason: str

    @property
    def usable(self):
        """Whether it takes part in the run."""
        return self.status != "absent"


def availability(run):
    """Look for the cohorts and weights that a run names; nothing is read but folder names.

    Parameters
    ----------
    run : braindino.settings.load.Run

    Returns
    -------
    dict of (kind, name) to Availability
        `status` is present, phantom, untrained or absent; `reason` says why, and how to mend it.

    Raises
    ------
    BadInput
        When a root folder is given that does not exist, or something is absent in a strict run.
    """
    _check_roots(run)
    rows = [_dataset(run, card) for card in run.datasets.values()]
    usable = {row.name for row in rows if row.usable}
    rows.append(recipe := _recipe(run))
    rows += [_encoder(run, card, usable, recipe) for card in run.encoders.values()]
    rows += [_task(card, usable) for card in run.tasks.values()]
    absent = [row for row in rows if not row.usable]
    if run.config.strict and absent:
        raise BadInput(f"strict: {absent[0].kind} {absent[0].name} is absent: {absent[0].reason}")
    return {(row.kind, row.name): row for row in rows}


def dataset_folder(config, card, phantoms):
    """Return the cohort's folder: a phantom's, or the one below the data root."""
    return phantoms if card.name in config.phantoms else str(Path(config.data_root, card.folder))


def weights_file(config, weights):
    """Return the path of published weights, or None where there are none."""
    if not (isinstance(weights, Weights) and config.weights_root):
        return None
    path = Path(config.weights_root, weights.file)
    return str(path) if path.is_file() else None


def _check_roots(run):
    config = run.config
    needs_data = any(name not in config.phantoms for name in config.datasets)
    for key, variable, needed in (
        ("data_root", "BRAINDINO_DATA", needs_data),
        ("weights_root", "BRAINDINO_WEIGHTS", True),
    ):
        root = getattr(config, key)
        if needed and root and not Path(root).is_dir():
            raise BadInput(
                f"{key}: there is no folder '{root}'; set {key} in the configuration, or the "
                f"{variable} variable, to an existing folder."
            )


def _dataset(run, card):
    config = run.config
    if card.name in config.phantoms:
        subjects = config.phantoms[card.name]
        return Availability("dataset", card.name, "phantom", f"{subjects} phantom subjects")
    if not config.data_root:
        where = "no data root is set (data_root, or the BRAINDINO_DATA variable)"
    elif not (folder := Path(config.data_root, card.folder)).is_dir():
        where = f"there is no folder {folder}"
    else:
        return Availability("dataset", card.name, "present", str(folder))
    return Availability("dataset", card.name, "absent", f"{where}; {card.how_to_get}")


def _recipe(run):
    name, init = run.recipe.name, [*run.earlier, run.recipe][0].model.init
    if init == "random":
        return Availability("recipe", name, "present", "starts from random weights")
    if path := weights_file(run.config, init):
        return Availability("recipe", name, "present", f"starts from {path}")
    return Availability("recipe", name, "absent", _how_to_get(init))


def _encoder(run, card, usable, recipe):
    config = run.config
    if card.source == "recipe":
        corpus = [n for n in usable if "pretraining" in run.datasets[n].roles]
        if corpus and recipe.usable:
            return Availability("encoder", card.name, "present", f"recipe {recipe.name}")
        no_corpus = "no cohort with the role 'pretraining' is available"
        reason = f"recipe {recipe.name} is absent" if corpus else no_corpus
        return Availability("encoder", card.name, "absent", reason)
    if card.source == "none":
        return Availability("encoder", card.name, "absent", card.note)
    if card.untrained:
        return Availability("encoder", card.name, "untrained", "a control: never trained")
    if not card.weights:
        return Availability("encoder", card.name, "present", "it needs no file of weights")
    if path := weights_file(config, card.weights):
        return Availability("encoder", card.name, "present", path)
    if config.random_weights:
        return Availability("encoder", card.name, "untrained", "random weights, for the demo alone")
    return Availability("encoder", card.name, "absent", _how_to_get(card.weights))


def _how_to_get(weights):
    return f"{weights.file} is not below weights_root; {weights.how_to_get}"


def _task(card, usable):
    missing = [name for name in card.datasets if name not in usable]
    if missing:
        return Availability("task", card.name, "absent", f"needs {', '.join(missing)}")
    return Availability("task", card.name, "present", " + ".join(card.datasets))
