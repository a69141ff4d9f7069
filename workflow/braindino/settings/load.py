"""Read the configuration and its cards; every mistake becomes one sentence with its mend."""

import difflib
import os
from pathlib import Path
from typing import NamedTuple, get_args

import yaml
from pydantic import BaseModel, ValidationError

from braindino.errors import BadInput
from braindino.settings.cards import DatasetCard, TaskCard
from braindino.settings.config import Config
from braindino.settings.encoders import EncoderCard
from braindino.settings.pretrain import Recipe

CONTROL = "random_"  # before an encoder's name: the same, untrained
# libyaml's, which reads all cards ten times faster, where the wheel has it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
CARDS = {
    "datasets": DatasetCard,
    "tasks": TaskCard,
    "encoders": EncoderCard,
    "recipes": Recipe,
}


class Run(NamedTuple):
    """A validated configuration with the cards that it names."""

    config: Config
    datasets: dict[str, DatasetCard]
    tasks: dict[str, TaskCard]
    encoders: dict[str, EncoderCard]
    recipe: Recipe
    earlier: list[Recipe] = []  # the recipes that it continues, the first one first


def load_run(values, files, folder="config", environment=os.environ):
    """Validate merged configuration values and read the cards that they name.

    Parameters
    ----------
    values : dict
        The configuration as Snakemake merged it.
    files : list of path
        The files it was merged from, later ones winning; named in messages.
    folder : path
        Folder of the card folders `datasets`, `tasks`, `encoders` and `recipes`.
    environment : mapping
        Where BRAINDINO_DATA and BRAINDINO_WEIGHTS are looked up.

    Returns
    -------
    Run

    Raises
    ------
    BadInput
        At the first mistake, naming the file, the key and the mend.
    """
    values = dict(values)
    for key, variable in (("data_root", "BRAINDINO_DATA"), ("weights_root", "BRAINDINO_WEIGHTS")):
        values[key] = values.get(key) or environment.get(variable)
    config = validate(Config, values, files)

    def card(kind, name):
        return load_card(kind, name, folder, getattr(config.overrides, kind).get(name))

    recipe = card("recipes", config.recipe)

    def encoder(name):
        of = name.removeprefix(CONTROL)
        if of == name or Path(folder, "encoders", f"{name}.yaml").is_file():
            return card("encoders", name)
        return untrained(card("encoders", of), recipe)

    run = Run(
        config,
        datasets={name: card("datasets", name) for name in config.datasets},
        tasks={name: card("tasks", name) for name in config.tasks},
        encoders={name: encoder(name) for name in config.encoders},
        recipe=recipe,
        earlier=_earlier(recipe, lambda name: card("recipes", name)),
    )
    _check_references(run, files, folder)
    return run


def untrained(card, recipe):
    """Return the control of an encoder: its architecture and input, with random weights.

    Parameters
    ----------
    card : EncoderCard
    recipe : Recipe
        Says the architecture and the channels of the encoder that this run pretrains.
    """
    changes = {
        "name": CONTROL + card.name,
        "title": f"{card.title}, untrained",
        "untrained": True,
        "weights": None,
        "access": "none",
        "pretrained_on": [],
    }
    if card.source == "recipe":
        model, channels = recipe.model, recipe.views.channels
        card = card.trained_by(model.architecture, model.arguments, channels)
    return card.model_copy(update=changes)


def restore_run(dumped):
    """Build a run from the plain values of its models, as rules hand them to scripts.

    Parameters
    ----------
    dumped : dict
        config, recipe and earlier, and the cards of datasets, tasks and encoders by name.
    """
    cards = {
        kind: {name: CARDS[kind](**card) for name, card in dumped[kind].items()}
        for kind in ("datasets", "tasks", "encoders")
    }
    earlier = [Recipe(**recipe) for recipe in dumped["earlier"]]
    recipe = Recipe(**dumped["recipe"])
    return Run(Config(**dumped["config"]), **cards, recipe=recipe, earlier=earlier)


def load_card(kind, name, folder="config", override=None):
    """Read and validate one card, with this run's overrides merged in.

    Raises
    ------
    BadInput
        When there is no such card, or it does not fit its model.
    """
    path = Path(folder, kind, f"{name}.yaml")
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise BadInput(
            f"{kind}: there is no card {path}{_did_you_mean(name, known)}; "
            f"write it, or use one of: {', '.join(known)}."
        )
    values = read_yaml(path)
    files = [path]
    if override:
        values = _merge(values, override)
        files.append(f"overrides.{kind}.{name}")
    card = validate(CARDS[kind], values, files)
    if card.name != name:
        raise BadInput(f"{path}: name is '{card.name}'; a card's name is its file's, '{name}'.")
    return card


def read_yaml(path):
    """Read a YAML mapping.

    Raises
    ------
    BadInput
        When the file is not YAML, or not a mapping.
    """
    try:
        values = yaml.load(Path(path).read_text(), Loader=LOADER)
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" at line {place.line + 1}" if place else ""
        raise BadInput(f"{path}: not valid YAML{line}; mend its indentation or quotes.") from error
    if not isinstance(values, dict):
        raise BadInput(f"{path}: expected 'key: value' lines.")
    return values


def validate(model, values, files):
    """Validate `values` against a pydantic model; the first mistake becomes one sentence."""
    try:
        return model(**values)
    except ValidationError as error:
        # A misspelt key is also a missing one; the misspelling is what to mend.
        first, *rest = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        more = f" ({len(rest)} more after it)" if rest else ""
        raise BadInput(_sentence(model, first, files) + more) from None


def _sentence(model, error, files):
    loc = [str(part) for part in error["loc"]]
    key = ".".join(loc) or "the file"
    where = _file_of(loc, files)
    if error["type"] == "extra_forbidden":
        known = list(_model_at(model, loc[:-1]).model_fields)
        mend = _did_you_mean(loc[-1], known) or f"; known keys here: {', '.join(known)}"
        return f"{where}: unknown key '{key}'{mend}."
    if error["type"] == "missing":
        return f"{where}: key '{key}' is missing; add it."
    message = error["msg"].removeprefix("Value error, ")
    given = f", got {error['input']!r}" if error["type"] != "value_error" else ""
    return f"{where}: key '{key}': {message[0].lower()}{message[1:]}{given}."


def _file_of(loc, files):
    """Name the last file that sets the key at `loc`, or the nearest key above it."""
    for depth in range(len(loc), 0, -1):
        for file in reversed(files):
            if Path(file).is_file() and _has(read_yaml(file), loc[:depth]):
                return str(file)
    return str(files[-1]) if files else "the command line"


def _has(values, loc):
    for part in loc:
        if isinstance(values, dict) and part in values:
            values = values[part]
        elif isinstance(values, list) and part.isdigit() and int(part) < len(values):
            values = values[int(part)]
        else:
            return False
    return True


def _model_at(model, loc):
    for part in loc:
        annotation = getattr(model.model_fields.get(part), "annotation", None)
        for choice in (annotation, *get_args(annotation)):
            if isinstance(choice, type) and issubclass(choice, BaseModel):
                model = choice
    return model


def _did_you_mean(name, known):
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _merge(values, override):
    merged = dict(values)
    for key, value in override.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _earlier(recipe, load):
    """Return the recipes that a recipe continues, the first one first."""
    stages = [recipe]
    while (name := stages[0].continues) is not None:
        if name in [stage.name for stage in stages]:
            raise BadInput(
                f"config/recipes/{stages[0].name}.yaml: continues itself, by way of {name}."
            )
        stages.insert(0, load(name))
        if stages[0].model.architecture != recipe.model.architecture:
            raise BadInput(
                f"config/recipes/{stages[1].name}.yaml: continues {name}, whose model is another."
            )
    return stages[:-1]


def _check_references(run, files, folder):
    # A demo names the phantoms of all cohorts and makes all encoders small; a run may use some.
    known_cohorts, known_tasks, known_encoders = (
        sorted(path.stem for path in Path(folder, kind).glob("*.yaml"))
        for kind in ("datasets", "tasks", "encoders")
    )
    named = {
        "phantoms": (run.config.phantoms, known_cohorts),
        "statistics.reference": ([run.config.statistics.reference], run.encoders),
        "finetune.tasks": (run.config.finetune.tasks, known_tasks),
        "segmentation.encoders": (run.config.segmentation.encoders or [], known_encoders),
        "segmentation.ratios": (run.config.segmentation.ratios, run.config.corpus.label_ratios),
        "corpus.test_fractions": (run.config.corpus.test_fractions, known_tasks),
        "overrides.datasets": (run.config.overrides.datasets, run.datasets),
        "overrides.tasks": (run.config.overrides.tasks, known_tasks),
        "overrides.encoders": (run.config.overrides.encoders, known_encoders),
        "overrides.recipes": (
            run.config.overrides.recipes,
            [recipe.name for recipe in (*run.earlier, run.recipe)],
        ),
        **{f"tasks: {t.name}: datasets": (t.datasets, run.datasets) for t in run.tasks.values()},
        **{
            f"tasks: {t.name}: split_as": ([t.split_as] if t.split_as else [], run.tasks)
            for t in run.tasks.values()
        },
    }
    for key, (names, known) in named.items():
        known = [str(name) for name in known]
        for name in map(str, names):
            if name not in known:
                where = _file_of(key.split(".") if ":" not in key else ["tasks"], files)
                raise BadInput(
                    f"{where}: key '{key}' names '{name}', which this run does not list"
                    f"{_did_you_mean(name, known)}; it lists: {', '.join(known)}."
                )
