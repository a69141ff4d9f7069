"""Generate config/config.yaml and the editor schemas from the models.

Run ``python -m braindino.settings.schema`` after a change to a model; a test compares.
"""

import json
from pathlib import Path

import yaml
from pydantic import BaseModel

from braindino.settings.base import Strict
from braindino.settings.config import Config
from braindino.settings.load import CARDS

SELECTION = {
    "datasets": [
        # pretraining alone (§4.1.1)
        *("ICBM", "ID1000", "PIOP1", "PIOP2", "TCGA-GBM", "CPTAC-GBM", "GLIS-RT", "REMBRANDT"),
        *("IvyGAP", "BraTS2025-GLI-PRE", "MEN-SEG-CLASS", "ReMIND", "fastMRI-Brain"),
        *("ACRIN-DSC-MR-Brain", "ACRIN-FMISO-Brain"),
        # pretraining and evaluation
        *("LONG579", "ABIDE", "PPMI", "BraTS2023-MEN", "BraTS2023-SSA", "BraTS2023-PED"),
        # evaluation alone (§4.3)
        *("ADNI", "OASIS", "IXI", "Pixar", "ATLAS", "UCSF-PDGM", "UPENN-GBM", "BraTS2021"),
        *("BraTS2023-Mets", "BraTS2024-GoAT"),
    ],
    "tasks": [
        *("seg_brats2021", "seg_brats2023_men", "seg_brats2023_mets", "seg_brats2024_goat"),
        *("cls_abide", "cls_adni_3class", "cls_adni_cn_ad", "cls_adni_cn_mci", "cls_oasis"),
        *("cls_ppmi", "age", "dps", "survival_cls", "survival_km", "idh", "sequence", "coin"),
    ],
    "encoders": [
        *("braindino", "dinov3", "brainmvp", "bm_mae", "brainiac"),  # §2
        *("random", "intensity"),  # controls
    ],
}
HEADER = """\
# yaml-language-server: $schema=schemas/config.schema.json
# The paper's protocol at paper scale, generated from workflow/braindino/settings
# (`python -m braindino.settings.schema`). Each protocol value carries its source in brackets:
# a section of the paper, or 'assumed' with the reason. To change values for a run, write them
# into a file of your own, as config/demo.yaml and config/real.yaml do.
"""


def generate(folder="config"):
    """Return {path: text} of every generated file."""
    folder = Path(folder)
    files = {folder / "config.yaml": HEADER + _yaml(Config(**SELECTION))}
    models = {"config": Config, **{kind.removesuffix("s"): CARDS[kind] for kind in CARDS}}
    for name, model in models.items():
        text = json.dumps(model.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
        files[folder / "schemas" / f"{name}.schema.json"] = text
    return files


def sources(model: Strict, prefix=""):
    """Yield (key, value, source, description) of every value of a model that carries a source."""
    for name, field in type(model).model_fields.items():
        value, key = getattr(model, name), f"{prefix}{name}"
        if field.json_schema_extra:
            yield key, value, field.json_schema_extra["source"], field.description
        elif isinstance(value, BaseModel):
            yield from sources(value, f"{key}.")


def _yaml(model, indent=""):
    lines = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        source = (field.json_schema_extra or {}).get("source")
        comment = f"{field.description} [{source}]" if source else field.description
        if isinstance(value, BaseModel) and type(value).model_fields:
            lines += [f"{indent}# {comment}", f"{indent}{name}:"]
            lines.append(_yaml(value, indent + "  ").rstrip("\n"))
        else:
            lines += [f"{indent}# {comment}", f"{indent}{name}: {_flow(value)}"]
    return "\n".join(lines) + "\n"


def _flow(value):
    if isinstance(value, BaseModel):
        value = value.model_dump()
    value = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000).strip()
    return text.removesuffix("...").strip()


if __name__ == "__main__":
    for path, text in generate().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
