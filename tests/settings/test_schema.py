import yaml

from braindino.settings.config import Config
from braindino.settings.load import load_card
from braindino.settings.pretrain import Recipe
from braindino.settings.schema import SELECTION, generate, sources


def test_generated_files_are_in_sync_with_the_models(root):
    for path, text in generate(root / "config").items():
        assert path.read_text() == text, f"{path} is stale: python -m braindino.settings.schema"


def test_config_yaml_reads_back_as_the_defaults(root):
    values = yaml.safe_load((root / "config" / "config.yaml").read_text())
    assert Config(**values) == Config(**SELECTION)


def test_every_protocol_value_carries_a_source():
    config = Config(**SELECTION)
    found = {key for key, _, source, _ in sources(config) if source}
    for section in ("corpus", "probes", "statistics"):
        for name in type(getattr(config, section)).model_fields:
            assert f"{section}.{name}" in found
    assert {"imaging.shape", "imaging.slices", "imaging.skull_strip.mode"} <= found


def test_a_file_to_start_from_is_one_value_with_its_source(root):
    """The report compares a recipe's values with the paper's, one by one."""
    recipe = load_card("recipes", "brainfound", root / "config")
    ours, papers = (list(sources(r)) for r in (recipe, Recipe(name="paper", title="")))
    assert [key for key, *_ in ours] == [key for key, *_ in papers]
    assert str(dict(row[:2] for row in ours)["model.init"]) == "dinov2/model.safetensors"


def test_stated_values_equal_the_papers_protocol(root):
    import csv

    with (root / "config" / "paper" / "protocol.csv").open() as stream:
        stated = {(r["area"], r["key"]): r["value"] for r in csv.DictReader(stream)}
    config = Config(**SELECTION)
    assert stated["preprocess", "resize_shape"] == "x".join(map(str, config.imaging.shape))
    assert float(stated["preprocess", "slice_sampling_mu"]) == config.imaging.slice_mean
    assert float(stated["preprocess", "slice_sampling_sigma"]) == config.imaging.slice_sd
    assert int(stated["preprocess", "slices_sampled"]) == config.imaging.slices
    assert float(stated["heads", "lr"]) == config.probes.learning_rate
    assert float(stated["heads", "weight_decay"]) == config.probes.weight_decay
    ratios = [float(r) for r in stated["data", "label_ratios"].split(";")]
    assert ratios == config.corpus.label_ratios
    assert float(stated["statistics", "alpha"]) == config.statistics.alpha
