import math

import pytest

from braindino.pretrain.collapse import signs_of_collapse
from braindino.settings.load import load_card

SOUND = {
    "teacher_entropy": 1.5, "student_entropy": 2.4, "rankme": 6.0, "prototype_usage": 0.2
}  # fmt: skip


@pytest.fixture
def recipe(recipe):
    settings = recipe.optimisation.model_copy(update={"iterations": 40})
    return recipe.model_copy(update={"optimisation": settings})


@pytest.fixture
def course(recipe):
    """A sound run of the toy recipe: 24 prototypes, 8 targets a batch, warm-ups up to 4."""

    def make(**changes):
        return [{"iteration": i} | SOUND | changes for i in (2, 4, 6, 8, 10)]

    return make


def test_a_sound_run_is_not_remarked(course, recipe):
    assert signs_of_collapse(course(), recipe) == []
    assert signs_of_collapse([], recipe) == []


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("teacher_entropy", 0.001, "the teacher's entropy is near zero"),
        ("teacher_entropy", math.log(24), "the teacher's entropy is near log(prototypes) = 3.2"),
        ("student_entropy", 0.0, "the student's entropy is near zero"),
        ("student_entropy", math.log(24) - 0.01, "the student's entropy is near log(prototypes)"),
        ("rankme", 1.02, "the effective rank of the class tokens is near one"),
        ("prototype_usage", 0.0, "next to none of the prototypes"),
    ],
)
def test_each_sign_is_said_once_with_its_first_iteration(course, recipe, metric, value, words):
    (sentence,) = signs_of_collapse(course(**{metric: value}), recipe)
    assert words in sentence and sentence.startswith("From iteration 6,")


def test_usage_is_judged_by_what_a_batch_could_use(course, recipe):
    many = recipe.model_copy(update={"model": recipe.model.model_copy(update={"prototypes": 8000})})
    # Eight targets of a batch reach 8 of 8,000 prototypes at best.
    assert signs_of_collapse(course(prototype_usage=8 / 8000), many) == []
    (sentence,) = signs_of_collapse(course(prototype_usage=0.5 / 8000), many)
    assert "prototypes" in sentence


@pytest.mark.parametrize("name", ["braindino", "braindino_stage2", "brainfound"])
def test_a_shipped_recipe_is_judged_from_a_tenth_of_it_on(name):
    shipped = load_card("recipes", name)
    last = shipped.optimisation.iterations
    course = [{"iteration": round(i * last / 20)} | SOUND | {"rankme": 1.0} for i in range(3, 10)]
    (sentence,) = signs_of_collapse(course, shipped)
    assert "effective rank" in sentence


def test_warm_up_is_no_collapse(course, recipe):
    start = [{"iteration": i} | SOUND | {"rankme": 1.0} for i in (1, 2, 3, 4)]
    assert signs_of_collapse(start + course()[2:], recipe) == []


def test_one_step_is_no_collapse_and_steps_without_the_metric_do_not_part_a_row(course, recipe):
    entries = course()
    entries[3] = entries[3] | {"rankme": 1.0}
    assert signs_of_collapse(entries, recipe) == []
    row = [
        entry
        for i in (6, 8, 10)
        for entry in ({"iteration": i} | SOUND | {"rankme": 1.0}, {"iteration": i, "knn": 0.5})
    ]
    assert len(signs_of_collapse(row, recipe)) == 1
