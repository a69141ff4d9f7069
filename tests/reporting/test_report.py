import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from braindino.cluster.efficiency import COLUMNS
from braindino.reporting.beside import beside_rows, beside_titles
from braindino.reporting.catalogue import catalogue
from braindino.reporting.claims import judge_claims
from braindino.reporting.context import report_context
from braindino.reporting.data import FEWER, data_context
from braindino.reporting.html import data_uri, render_report
from braindino.reporting.labels import labels
from braindino.reporting.power import check_rows, power_rows
from braindino.reporting.protocol import assumptions, deviations
from braindino.reporting.rejects import reject_groups, without_identifiers
from braindino.reporting.reproduction import reproduction
from braindino.reporting.results import Results
from braindino.reporting.results_json import results_json
from braindino.reporting.summary import by_task
from braindino.settings.cards import TaskCard
from braindino.settings.config import Overrides

VOID = {"meta", "img", "br", "link", "input", "hr"}
FIGURES = ["figure_1a", "figure_1b", "figure_1c", "figure_3", "figure_4", "curves", "patches"]
REJECTS = pd.DataFrame(
    [
        ("IXI/IXI012-HH-1211/1/T1w", "read", "/data/IXI012-HH-1211-T1.nii.gz is truncated"),
        ("IXI/IXI013-HH-1212/1/T1w", "imaging", "no brain was found in IXI013-HH-1212"),
        ("IXI/IXI014-HH-1236/1/T1w", "imaging", "no brain was found in IXI014-HH-1236"),
    ],
    columns=["volume_id", "stage", "reason"],
)

EFFICIENCY = pd.DataFrame(
    [
        ("brains", 612, 300.0, 2400.0, 1800.0, 32000, 21540.0, 300.0),
        ("probe", 3, 0.1, 0.2, 0.1, float("nan"), 900.0, 0.0),
    ],
    columns=COLUMNS,
)


@pytest.fixture(scope="module")
def tables(
    pending_run,
    availability,
    audits,
    metrics,
    comparisons,
    subsets,
    published,
    outliers,
    root_config,
):
    results = Results(metrics, comparisons, pending_run.tasks, availability, alpha=0.05)
    rows = reproduction(published, results, demo=True)
    claims = judge_claims(pd.read_csv(root_config / "paper" / "claims.csv"), results, demo=True)
    return audits | {
        "availability": availability,
        "efficiency": EFFICIENCY,
        "subsets": subsets,
        "rejects": REJECTS,
        "outliers": outliers,
        "metrics": metrics,
        "comparisons": comparisons,
        "robustness": metrics.iloc[:0],
        "robustness_comparisons": comparisons.iloc[:0],
        "reproduction": rows,
        "claims": claims,
        "summary": by_task(rows, claims),
    }


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "one.png"
    path.write_bytes(b"\x89PNG not really")
    uri = data_uri(path)
    return dict.fromkeys(FIGURES, uri) | {
        "mosaics": {"IXI": uri}, "histograms": {"IXI": uri}
    }  # fmt: skip


@pytest.fixture(scope="module")
def context(pending_run, demo_labels, tables, images):
    record = {"title": "Tiny", "iterations": 4000, "data": {"volumes": 50, "slices": 6400}}
    return gather(pending_run, demo_labels, tables, images, record)


def gather(run, names, tables, images, record=None):
    """Return the context with the tables of the tasks that have results."""
    scored = set(tables["metrics"]["task"])
    shown = catalogue({name: card for name, card in run.tasks.items() if name in scored})
    labelled = [table for table in shown.values() if table.kind == "labels"]
    return report_context(run, names, labelled, tables, images, "0123abc", record)


@pytest.fixture(scope="module")
def page(context):
    return render_report(context)


class Outline(HTMLParser):
    """Tags that stay open, resources, ids and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.open, self.resources, self.ids, self.targets, self.words = [], [], set(), set(), []
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.resources += [attrs[key] for key in ("src", "srcset", "data") if key in attrs]
        self.ids.add(attrs.get("id"))
        if "href" in attrs:
            self.targets.add(attrs["href"])
        self.scripts += tag == "script"
        assert tag not in ("iframe", "object")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_well_formed_and_its_links_lead_somewhere(page):
    outline = Outline(page)
    assert outline.open == []
    assert outline.targets == {f"#{target[1:]}" for target in outline.targets}
    assert {target[1:] for target in outline.targets} <= outline.ids


def test_the_page_loads_nothing_from_anywhere(page):
    resources = Outline(page).resources
    assert len(resources) == 9 and all(r.startswith("data:image/png;base64,") for r in resources)
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style
    assert Outline(page).scripts == 1  # the page's own, which sorts tables
    script = page[page.index("<script>") : page.index("</script>")]
    assert not re.search(r"fetch|XMLHttp|import|https?:|innerHTML", script)


def test_the_page_names_no_subject(page, tables, manifest):
    copies = tables["duplicates"]
    ids = {*manifest["volume_id"], *REJECTS["volume_id"], *copies["volume_id"], *copies["same_as"]}
    assert tables["notes"]["example"].item() not in page
    subjects = {part for volume in ids for part in volume.split("/")[1:2]}
    assert subjects and not [name for name in ids | subjects if name in page]


def test_the_page_tells_the_run_from_top_to_bottom(page):
    text = " ".join("".join(Outline(page).words).split())
    for words in (
        "Demo: phantoms, not patients.",
        "DINOv3 (random weights)",
        "needs ATLAS",
        "Table S9. Brain age (demo: phantoms, not patients)",
        "6.00 ± 0.40",
        "no brain was found in (subject)",
        "IXI #2, IXI #3",
        "IXI: 1 of its volumes stands out",
        "#12",
        "statistics.bootstrap",
        "Tiny: 4,000 iterations on 6,400 slices of 50 volumes",
        "15 (30)",  # training subjects (volumes)
        "Brain age, MRI sequence, IDH status (splits only)",
        "Published claims",
        "9 claims on this run's tasks",
        "Smallest difference found",
        "Pairs of volumes: 1 in the same cohort.",
        "an incomplete copy, or another release): IXI.",
        "found where they must not be: 0.",
        "IXI.xls: rows whose subject has no scan",
        "0123abc",
    ):
        assert words in text


def test_an_untrained_encoder_says_so_wherever_it_is_named(page, tables):
    text = "".join(Outline(page).words)
    for claim in tables["claims"]["claim"]:  # the paper's, on its own encoders
        text = text.replace(claim.replace(" %", "\N{NO-BREAK SPACE}%"), "")
    start = text.index("Departures from the paper")
    results = text[:start] + text[text.index("Figure 1c") :]  # between, it is a recipe's name
    named = [match.end() for match in re.finditer("DINOv3", results)]
    assert len(named) > 4
    assert all(results[end:].startswith(" (random weights)") for end in named)


def test_text_of_tables_cannot_become_markup(context):
    row = {"kind": "task", "name": "x", "title": "", "status": "absent", "reason": "<img src=x>"}
    page = render_report(context | {"availability": [row]})
    assert "<img src=x>" not in page and "&lt;img src=x&gt;" in page


def test_the_page_is_equal_on_rerun(context, page):
    assert render_report(context) == page


def test_a_run_without_any_data_still_has_a_report(real_run, tables):
    absent = tables["availability"].assign(status="absent")
    empty = {name: frame.iloc[:0] for name, frame in tables.items()}
    nothing = {"mosaics": {}, "histograms": {}}
    context = gather(real_run, labels(real_run, absent), empty | {"availability": absent}, nothing)
    page = render_report(context)
    assert "No task had its cohorts" in page and 'class="demo"' not in page


def test_volumes_that_imaging_lost_are_not_used(context):
    counts = context["data"]["counts"][0]
    assert (counts["used"], counts["unused"], counts["rejected"]) == (22, 0, 3)
    assert counts["found"] == counts["used"] + counts["unused"] + counts["rejected"]


def test_a_cohort_short_of_its_archive_is_remarked(pending_run, audits):
    short, *phantoms = data_context(pending_run.tasks, audits)["counts"]
    assert (short["subjects"], short["expected_subjects"]) == (12, "12")
    assert (short["found"], short["expected"]) == (25, "33")
    assert short["remark"] == FEWER
    assert {(row["expected"], row["remark"]) for row in phantoms} == {("–", "")}


def test_splits_stand_beside_the_paper_s_by_class(context, audits):
    age, idh, wildtype, other = context["data"]["splits"]
    assert (age["class"], age["train"], age["train_paper"]) == ("all", "15 (30)", "")
    assert (idh["title"], idh["folds"]) == ("IDH status (splits only)", "fold 0 of 5 folds")
    assert (idh["train_paper"], idh["test_paper"]) == ("360 subjects", "92 subjects")  # §4.3.5
    assert (wildtype["train"], wildtype["train_paper"]) == ("1 (2)", "288 subjects")
    assert (other["class"], other["test"], other["test_paper"]) == (
        "nonwildtype", "4 (8)", "19 subjects",
    )  # fmt: skip
    full = audits["splits"].loc[audits["splits"]["task"] == "age", "hash"].iloc[0]
    assert len(age["hash"]) == 12 and full.startswith(age["hash"])


def test_leakage_is_one_row_a_task(context):
    assert context["data"]["checks"][0] == (
        "test subjects in the pretraining corpus", "Test subjects in the pretraining corpus",
    )  # fmt: skip
    assert context["data"]["leakage"] == [
        {"title": title} | {key: 0 for key, _ in context["data"]["checks"]}
        for title in ("Brain age", "IDH status (splits only)")
    ]


def test_composition_is_told_with_what_nobody_states(context):
    rows = {(row["dataset"], row["part"]): row for row in context["data"]["composition"]}
    assert rows["BraTS2023-MEN", "pretraining"]["vendor"] == "not stated"
    contrasts = rows["BraTS2023-MEN", "pretraining"]["modality"].replace("\N{NO-BREAK SPACE}", " ")
    assert contrasts == "FLAIR 33 %, T1c 33 %, T1w 33 %"
    assert (rows["IXI", "pretraining"]["volumes"], rows["IXI", "evaluation"]["volumes"]) == (22, 24)
    assert rows["IXI", "evaluation"]["slice_thickness"] == "1–2 mm"


def test_long_tables_are_folded(context):
    def page(count):
        notes = [{"dataset": "IXI", "issue": "x", "count": 1}] * count
        return render_report(context | {"data": context["data"] | {"notes": notes}})

    assert "<summary>16 notes</summary>" in page(16) and " notes</summary>" not in page(15)


def test_overlaps_are_listed_and_marked(pending_run, availability, tables, images):
    rival = pending_run.encoders["dinov3"].model_copy(
        update={"pretrained_on": ["IXI", "UCSF-PDGM"]}
    )
    own = pending_run.encoders["braindino"].model_copy(update={"pretrained_on": ["IXI"]})
    run = pending_run._replace(encoders={"braindino": own, "dinov3": rival})
    context = gather(run, labels(run, availability), tables, images)
    assert [(row["task"], row["cohorts"]) for row in context["overlaps"]] == [
        ("Brain age", "IXI"),
        ("IDH status (splits only)", "UCSF-PDGM"),
    ]
    (age,) = [line["text"] for line in context["headlines"] if "Brain age" in line["title"]]
    assert "BrainDINO 6.00" in age and "DINOv3 (random weights) ‡ 7.20" in age
    page = render_report(context)
    assert "Encoders that saw cohorts of a task" in page


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("C-index", {"kind": "survival", "event": "survival_event", "unit": "days"}),
        ("Dice WT", {"kind": "segmentation"}),
    ],
)
def test_every_kind_of_task_can_be_reported(pending_run, demo_labels, tables, images, name, fields):
    values = pending_run.tasks["idh"].model_dump() | {"classes": None, "published": None}
    card = TaskCard(**values | fields)
    other = tables["metrics"][tables["metrics"]["metric"] == "macro_auc"]
    metric = "dice_wt" if card.kind == "segmentation" else card.metric
    scored = other.assign(task="idh", metric=metric)
    run = pending_run._replace(tasks=pending_run.tasks | {"idh": card})
    pages = [
        render_report(gather(run, demo_labels, tables | {"metrics": m}, images))
        for m in (tables["metrics"], scored)  # while it is pending, and once it is not
    ]
    assert all("IDH status (splits only)" in page for page in pages)
    spread = "± 0.009" if name.startswith("Dice") else "[0.971, 1.009]"
    assert f"{name}: BrainDINO 0.990 {spread}" in pages[1] and f"{name}:" not in pages[0]


def test_assumptions_hold_value_and_reason(demo_run):
    rows = {row["setting"]: row for row in assumptions(demo_run)}
    assert rows["statistics.bootstrap"]["value"] == "200"
    assert rows["recipe.objective.teacher_temperature"]["value"] == "0.04, 0.07"
    assert "statistics.alpha" not in rows  # stated by the paper
    assert all(row["why"] for row in rows.values())


def test_deviations_are_what_differs_from_the_paper(demo_run, real_run):
    rows = {row["setting"]: row for row in deviations(demo_run, ["DINOv3"])}
    assert set(rows) == {"cohorts", "weights", "statistics.bootstrap"}
    assert rows["statistics.bootstrap"]["paper"] == "2000 (assumed)"
    optimisation = real_run.recipe.optimisation.model_copy(update={"batch": 32})
    small = real_run._replace(
        recipe=real_run.recipe.model_copy(update={"optimisation": optimisation})
    )
    assert deviations(real_run, []) == []
    assert deviations(small, []) == [
        {"setting": "recipe.optimisation.batch", "paper": "1024 (§4.2)", "run": "32"}
    ]


def test_overrides_of_cards_are_deviations(real_run):
    overrides = Overrides(tasks={"age": {"datasets": ["A", "B"], "panel": None}})
    other = real_run._replace(config=real_run.config.model_copy(update={"overrides": overrides}))
    assert [(row["setting"], row["run"]) for row in deviations(other, [])] == [
        ("tasks.age.datasets", "A, B"),
        ("tasks.age.panel", "None"),
    ]


def test_rejects_are_grouped_and_add_up():
    groups = reject_groups(REJECTS)
    assert sum(group["count"] for group in groups) == len(REJECTS)
    (found,) = [group for group in groups if group["stage"] == "imaging"]
    assert found["volumes"] == "IXI #2, IXI #3" and found["count"] == 2


@pytest.mark.parametrize(
    ("text", "volume_id", "expected"),
    [
        ("cannot read a/b/sub-01_T1w.nii.gz", "X/01/1/T1w", "cannot read (file)"),
        ("sub-01 has 0.01 of it", "X/01/1/T1w", "(subject) has 0.01 of it"),
        ("shape (1, 2) is 101 of 01.", "X/01/1/T1w", "shape (1, 2) is 101 of (subject)."),
        ("nothing to hide", "unnamed", "nothing to hide"),
    ],
)
def test_identifiers_are_removed_and_numbers_kept(text, volume_id, expected):
    assert without_identifiers(text, volume_id) == expected


def test_no_reject_is_no_group():
    assert reject_groups(REJECTS.iloc[:0]) == []


def test_an_undefined_metric_is_a_dash_in_the_page(pending_run, demo_labels, tables, images):
    undefined = tables["metrics"].assign(value=np.nan, ci_low=np.nan, ci_high=np.nan)
    context = gather(pending_run, demo_labels, tables | {"metrics": undefined}, images)
    page = render_report(context)
    assert "– [–, –]" in page and not re.search(r"\bnan\b", page)


def test_a_large_picture_becomes_a_small_one_of_the_same_content(tmp_path, rng):
    pixels = rng.integers(0, 256, (700, 700, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((1400, 1400)).save(tmp_path / "large.png")
    size = (tmp_path / "large.png").stat().st_size
    kind, _, text = data_uri(tmp_path / "large.png").partition(",")
    assert kind == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(text)))
    assert shown.size == (1400, 1400)
    assert len(text) < size / 2


def test_results_json_is_strict_and_holds_the_tables(demo_run, tables, page):
    shown = {name: tables[name] for name in ("metrics", "comparisons", "claims", "coverage")}
    text = results_json(demo_run, shown, "0123abc")
    read = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert read["demo"] is True and read["versions"]["code"] == "0123abc"
    assert len(read["tables"]["metrics"]) == len(tables["metrics"])
    first = tables["metrics"].iloc[0]
    assert read["tables"]["metrics"][0]["value"] == pytest.approx(first["value"], abs=1e-14)
    assert text == results_json(demo_run, dict(reversed(shown.items())), "0123abc")


def test_other_probes_stand_beside_the_heads(pending_run, demo_labels, metrics):
    whole = metrics[(metrics["task"] == "sequence") & (metrics["metric"] == "macro_auc")]
    whole = whole[(whole["ratio"] == 1) & (whole["encoder"] == "dinov3")]
    linear = whole.assign(stratum="linear", value=0.75)
    few = whole.assign(stratum="linear", value=0.1, ratio=0.1)
    made = pd.concat([few, metrics, linear])
    rows = beside_rows(pending_run.tasks, made, demo_labels)
    by = {(row["task"], row["encoder"]): row for row in rows}
    age = by["Brain age", "BrainDINO"]
    assert age["r2"] == "0.800" and age["linear"] == "–" and age["ece"] == "–"
    (sequence,) = (row for (task, _), row in by.items() if task != "Brain age")
    assert sequence["encoder"].startswith("DINOv3")
    assert sequence["linear"] == "0.750" and sequence["metric"] == "Macro-AUC"
    columns = [key for key, _ in beside_titles(rows)]
    assert columns == ["task", "encoder", "metric", "all", "linear", "r2"]


def test_power_and_other_tests_are_counted(pending_run, metrics, comparisons):
    tested = comparisons.assign(detectable=1.234, p_delong=0.2, p_wilcoxon=0.001)
    power = {row["title"]: row for row in power_rows(pending_run.tasks, metrics, tested)}
    assert (
        power["Brain age"]["detectable"] == "1.23" and power["Brain age"]["metric"] == "MAE (years)"
    )
    checks = check_rows(pending_run.tasks, tested, alpha=0.05)
    age = next(row for row in checks if row["title"] == "Brain age")
    count = (tested["task"] == "age").sum()
    assert age["significant"] == count  # p is 0.0004 in each
    assert age["p_delong"] == f"0 of {count}" and age["p_wilcoxon"] == f"{count} of {count}"


def test_what_jobs_took_stands_beside_what_they_were_given(page):
    assert "1,800 of 2,400" in page
    assert "21.5 of 32.0" in page
    assert "0.9 of –" in page
