"""Pretraining on two nodes: srun starts torchrun on each, and they meet."""

import json


def test_two_nodes_leave_one_encoder(workflow, prepared, cluster):
    run = prepared(workflow("nodes"))
    run.set("\n  nodes: 1\n", "\n  nodes: 2\n")
    run.finish("pretrain")
    card = json.loads((run.results / "pretrain" / "tiny" / "encoder.json").read_text())
    assert card["iterations"] == 120
    log = (run.results / "pretrain" / "tiny" / "pretrain.1.log").read_text()
    assert log == ""  # the second rank is silent
