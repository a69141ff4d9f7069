"""The heads' hyper-parameters, task by task."""

from braindino.reporting.labels import task_title

LOSSES = {
    "classification": "cross-entropy",
    "regression": "squared error",
    "survival": "Cox partial likelihood, ties by Breslow",
    "log_mixed": "squared, absolute and Huber error of log(1 + y)",
}
TITLES = [
    *[("title", "Task"), ("loss", "Loss"), ("hidden", "Hidden units"), ("dropout", "Dropout")],
    *[("optimiser", "Optimiser"), ("learning_rate", "Learning rate")],
    *[("weight_decay", "Weight decay"), ("batch", "Batch"), ("epochs", "Epochs")],
    *[("patience", "Patience"), ("selection", "Epoch picked by"), ("source", "Source")],
]
SELECTION = {"inner": "inner validation split", "paper": "the test set, as the released code"}


def head_rows(run):
    """List what the head of every evaluated task is trained with.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.

    Returns
    -------
    list of dict
        By the keys of `TITLES`.
    """
    cards = [card for card in run.tasks.values() if card.evaluation == "probe"]
    return [_row(card, run.config.probes.for_task(card)) for card in cards]


def _row(card, protocol):
    shown = {key: f"{getattr(protocol, key)}" for key, _ in TITLES if hasattr(protocol, key)}
    whole = {"batch": "all"} if card.kind == "survival" else {}
    return shown | {
        "title": task_title(card),
        "loss": LOSSES[(card.head and card.head.loss) or card.kind],
        "selection": SELECTION[protocol.selection],
        "source": card.head.source if card.head else "§4.3",
        **whole,
    }
