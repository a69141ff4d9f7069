"""ADNI and PPMI: their groups, visits and names, and what the disease does to the phantoms."""

from typing import NamedTuple


class Group(NamedTuple):
    """Share of the hippocampus lost at first, and then a year; years the brain looks older."""

    loss: float = 0.0
    yearly: float = 0.0
    older: float = 0.0


class Project(NamedTuple):
    """A project of the archive.

    Attributes
    ----------
    subject : str
        Format of a subject's id, of the site and of a running number.
    description : str
        What its T1w series are called.
    groups : dict of str to Group
        As the table spells them.
    order : tuple of str
        Groups, taken in turn.
    attendance : tuple of dict
        Visit: years since the first, in turn.
    ages : tuple of float
    """

    subject: str
    description: str
    groups: dict
    order: tuple
    attendance: tuple
    ages: tuple


PROJECTS = {
    # Assumed: losses larger than in life, so that a small encoder sees them; late mild cognitive
    # impairment becomes dementia within two years, while the table keeps the group of enrolment.
    "ADNI": Project(
        subject="{site:03d}_S_{number:04d}",
        description="MP-RAGE",
        groups={
            **{"CN": Group(), "SMC": Group(), "EMCI": Group(0.3, 0.0, 10)},
            **{"MCI": Group(0.4, 0.05, 16), "LMCI": Group(0.5, 0.15, 24)},
            "AD": Group(0.9, 0.05, 40),
        },
        order=("CN", "MCI", "AD", "CN", "LMCI", "AD", "CN", "EMCI", "AD", "SMC"),
        attendance=({"sc": 0, "m12": 1}, {"sc": 0, "m06": 0.5, "m24": 2}),
        ages=(58, 88),
    ),
    # Parkinson's disease hardly shows on T1w (§4.3.2). The paper has four patients a control, here
    # it is two, so that a few subjects hold both.
    "PPMI": Project(
        subject="{number:04d}",
        description="MPRAGE GRAPPA",
        groups={"Control": Group(), "PD": Group(0.08, 0.0, 0.5), "SWEDD": Group()},
        order=("PD", "Control", "PD", "PD", "Control", "PD", "SWEDD"),
        attendance=({"BL": 0}, {"BL": 0, "V06": 2}),
        ages=(45, 80),
    ),
}
