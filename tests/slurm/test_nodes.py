"""Pretraining on two nodes: srun starts torchrun on each, and they meet."""

import json
import re


def test_two_nodes_leave_one_encoder(workflow, prepared, cluster):
    run = prepared(workflow("nodes"))
    profile = run.folder / "profiles" / "slurm" / "config.yaml"
    text = re.sub(r"^  nodes: 1", "  nodes: 2", profile.read_text(), flags=re.MULTILINE)
    profile.write_text(text)
    run.finish("pretrain", "--config", "recipe=tiny")
    card = json.loads((run.results / "pretrain" / "tiny" / "encoder.json").read_text())
    assert card["iterations"] == 120
    log = (run.results / "pretrain" / "tiny" / "pretrain.1.log").read_text()
    assert log == ""  # the second rank is silent
