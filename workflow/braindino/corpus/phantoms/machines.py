"""Scanners of clinical sites: how each spells its name and calls its sequences."""

from typing import NamedTuple

from braindino.corpus.phantoms.scanner import Scanner


class Machine(NamedTuple):
    """A scanner of a site.

    Attributes
    ----------
    vendor : str
        As its headers spell it.
    tesla : float
    scanner : braindino.corpus.phantoms.scanner.Scanner
    names : dict
        Sequence: what it is called there; a sequence that is missing has no description.
    agents : dict
        Sequence: what its header says of a contrast agent.
    """

    vendor: str
    tesla: float
    scanner: Scanner
    names: dict
    agents: dict


SIEMENS = {
    **{"T1w": "t1_se_tra", "T1c": "t1_se_tra_KM", "T2w": "t2_tse_tra", "FLAIR": "t2_flair_tra"},
    **{"T1w 3-D": "t1_mprage_sag", "T1c 3-D": "t1_mprage_sag_post", "T2w 3-D": "3D_SAG_T2_SPACE"},
}
GE = {
    **{"T1w": "AX T1 PRE GAD", "T1c": "AX T1 +C", "T2w": "AX T2 FSE", "FLAIR": "Ax T2 FLAIR"},
    **{"T1w 3-D": "SAG 3D BRAVO", "T1c 3-D": "SAG 3D BRAVO +C", "T2w 3-D": "Sag CUBE T2"},
}
PHILIPS = {
    **{"T1w": "T1W_SE AXIAL", "T1c": "T1 SE AXIAL POST FC", "FLAIR": "FLAIR_longTR"},
    **{"T1w 3-D": "sT1W_3D_TFE", "T1c 3-D": "sT1W_3D_TFE GADO", "T2w 3-D": "VISTA T2 SAG"},
}
MACHINES = (
    Machine("SIEMENS", 1.5, Scanner(520, 0.035, 0.08), SIEMENS, {"T1c": "Magnevist"}),
    # An agent that was typed in once stays in the header of what was scanned before it.
    Machine(
        *("GE MEDICAL SYSTEMS", 1.5, Scanner(1100, 0.03, 0.1, 1.05), GE),
        {"T1w": "MULTIHANCE", "T1c": "MULTIHANCE", "T1w 3-D": "NONE"},
    ),
    Machine(
        "Philips Medical Systems", 3.0, Scanner(800, 0.02, 0.14, 0.95), PHILIPS, {"T1c": "YES"}
    ),
    Machine("Siemens HealthCare GmbH", 3.0, Scanner(380, 0.02, 0.15), SIEMENS, {}),
)
