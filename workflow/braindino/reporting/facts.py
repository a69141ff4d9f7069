"""What was run on what, in a few lines."""

from braindino.reporting.labels import task_title


def facts(run, labels, coverage, availability, pretraining):
    """State in (name, text) pairs what was run on what."""
    used = coverage[coverage["used"] > 0]
    volumes = ", ".join(f"{r.dataset} ({r.used})" for r in used.itertuples())
    absent = availability[availability["status"] == "absent"]
    stated = [
        ("Volumes used", f"{used['used'].sum()}: {volumes}" if len(used) else "none"),
        ("Encoders", ", ".join(_present(availability, "encoder", labels.encoders))),
        ("Tasks", ", ".join(_present(availability, "task", task_titles(run.tasks)))),
    ]
    if pretraining:
        stated.append(("Pretraining", _pretraining(pretraining)))
    if len(absent):
        stated.append(("Absent", ", ".join(f"{r.kind} {r.name}" for r in absent.itertuples())))
    return stated


def _pretraining(record):
    data = record["data"]
    return (
        f"{record['title']}: {record['iterations']:,} iterations on {data['slices']:,} slices "
        f"of {data['volumes']:,} volumes"
    )


def _present(availability, kind, titles):
    usable = availability[(availability["kind"] == kind) & (availability["status"] != "absent")]
    return [titles.get(name, name) for name in usable["name"]]


def untrained(availability, labels):
    """List the titles of encoders with random weights."""
    names = availability.loc[availability["status"] == "untrained", "name"]
    return [labels.encoders.get(name, name).removesuffix(" (random weights)") for name in names]


def task_titles(tasks):
    """Return {name: title} of task cards."""
    return {name: task_title(card) for name, card in tasks.items()}
