"""The table of rules that tells a series' contrast, read by `contrasts.tell_contrast`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

# Milliseconds and degrees; all assumed, from the usual protocols of 1.5 and 3 T.
LONG_TR = 1800  # longer than the T1 of grey and white matter, so T1 weighting is gone
LEAST_TR = 200  # of a spin echo over a whole brain
SHORT_TR = 1200  # spin echo T1: 400-800, with 3-D turbo trains up to 1200
LONG_TE = 60  # T2 weighting: 80-120, near the T2 of grey and white matter
SHORT_TE = 40  # proton density and T1: 8-35
STAR_TE = 12  # gradient echo for blood: 15-40; T1 gradient echo: 2-10
FLAIR_TI = 1500  # fluid is nulled at 1700-2800; T1 preparation ends at 1200
FAT_TI = 300  # fat is nulled at 130-250
T1_FLIP = 8  # smaller angles of a spoiled gradient echo leave proton density


@dataclass(frozen=True)
class Rule:
    """A row: all that it states must hold. Without a contrast, its name is why a series is left."""

    name: str
    contrast: str | None = None
    words: str = ""
    unless: str = ""
    where: Callable = lambda header: True

    def holds(self, header, text):
        """Whether the row holds for a header and one of its texts, cleaned."""
        said = not self.words or re.search(self.words, text)
        denied = self.unless and re.search(self.unless, text)
        return bool(said and not denied and self.where(header))


def _typed(*values):
    return lambda header: bool(header.image_type & set(values))


# Read from top to bottom; the first row that holds decides. First what flags alone betray.
FLAGS = (
    Rule("not MR", where=lambda h: h.modality != "MR"),
    Rule("localizer, by slices in several planes", where=lambda h: h.several_planes),
    Rule("localizer, by its image type", where=_typed("LOCALIZER")),
    Rule("diffusion, by its b-value", where=lambda h: h.b_value > 0),
    Rule("diffusion, by its image type", where=_typed("ADC", "EADC", "FA", "TRACEW", "DIFFUSION")),
    Rule("perfusion, by its image type", where=_typed("PERFUSION", "ASL", "CBV", "CBF", "MTT")),
    Rule("functional, by its image type", where=_typed("MOSAIC", "FMRI")),
    Rule("phase, real or imaginary image", where=_typed("P", "PHASE", "PHASE MAP", "R", "I")),
    Rule("projection, by its image type", where=_typed("PROJECTION IMAGE", "MIP", "MNIP")),
    Rule("reformat, by its image type", where=_typed("MPR", "REFORMATTED")),
    Rule("subtraction, by its image type", where=_typed("SUBTRACT", "SUBTRACTION")),
    Rule("derived image (ImageType DERIVED, SECONDARY)", where=lambda h: h.made_later),
    Rule("echo-planar (diffusion, perfusion or functional)", where=lambda h: "EP" in h.scanning),
    Rule("several volumes over time", where=lambda h: h.repeats > 1),
)

# Then what the description says; where no row knows it, the protocol's and the sequence's name.
T1, T2, PD = r"\bt1w?\b", r"\bt2w?\b", r"\bpdw?\b|proton"
BOTH = rf"(?=.*({PD})).*{T2}"
WORDS = (
    Rule(
        "localizer", words=r"locali[sz]er|\bloc\b|scout|survey|(\b3|three) ?pl(ane|\b)|smartbrain"
    ),
    Rule("calibration or field map", words=r"calib|\bshim|sense ref|(field|b0|b1) ?map"),
    Rule(
        "diffusion",
        words=r"dwi|dti|diff|\be?adc\b|\btrace|\b(col)?fa\b|tensor|\bb ?\d{3,4}\b|hardi|noddi",
    ),
    Rule(
        "perfusion",
        words=r"perf|\bdsc\b|\bdce\b|\bp?c?asl\b|r?cb[vf]\b|\bmtt\b|\bttp\b|tmax|\bpwi\b|\bdyn"
        r"|first pass|bolus|permeab",
    ),
    Rule("functional or echo-planar", words=r"fmri|bold|\brest(ing)?\b|\bepi|\bep2d|\btask\b"),
    Rule(
        "susceptibility or T2*",
        words=r"\bswi|swan\b|suscept|venobold|qsm|\bt2w? ?(\*|star|s\b)|ha?emo|medic\b",
    ),
    Rule("T2* gradient echo", words=rf"(?=.*{T2}).*\b(gre|ffe|fl[23]d|flash|gradient)", unless=T1),
    Rule("angiography", words=r"tof|mra\b|mrv\b|angio|veno|phase ?contrast|\bpca?\b|\bf[il]3d1r"),
    Rule("spectroscopy", words=r"spectro|\bmrsi?\b|\bcsi\b|\bsvs\b|\bpress\b|\bsteam\b"),
    Rule("quantitative map", words=r"\bmaps?\b|mapping|relaxo|\bt1 rho|fingerprint"),
    Rule("phase image", words=r"\bpha\b|phase ?ima?ge?"),
    Rule("projection", words=r"\b(mini?)?mips?\b|\bminip|projection|\brender"),
    Rule("subtraction", words=r"subtract|\bsub\b"),
    # Siemens also calls its MPRAGE "t1_mpr": an original cannot be a multiplanar reformat.
    Rule("reformat (MPR)", words=r"\bmpr\b", where=lambda h: "ORIGINAL" not in h.image_type),
    Rule("reformat", words=r"re?fo?rmat|\bre?fmt|curved|reslice"),
    Rule(
        "mask, overlay or report", words=r"mask|segment|overlay|fus(ed|ion)|screen|report|colou?r"
    ),
    Rule(
        "part of the head or another region",
        words=r"\biacs?\b|orbit|pituit|\bsella|spin(e|al)|cervical|lumbar|\bneck|\btmj|hippoc",
    ),
    Rule("balanced steady state", words=r"\bciss|fiesta|tru(e ?)?fi|\bb ?ffe|ssfp|balanced"),
    Rule("STIR, double or phase-sensitive inversion", words=r"\bstir|\bdir\b|double inv|\bpsir"),
    Rule("magnetisation transfer", words=r"magneti[sz]ation tr|\bmt[cr]\b|gre mt|melanin|\bcest\b"),
    Rule("inversion image of MP2RAGE", words=r"\binv ?[12]\b"),
    Rule("T1 FLAIR", "T1w", words=rf"(?=.*{T1}).*(flair|dark ?fl)", unless=T2),
    Rule("FLAIR", "FLAIR", words=r"flair|dark ?fl|fluid att"),
    Rule(
        "dual echo, short TE",
        "PDw",
        words=rf"{PD}|{T2}",
        unless=T1,
        where=lambda h: h.echoes == 2 and h.te < LONG_TE,
    ),
    Rule(
        "dual echo, long TE",
        "T2w",
        words=rf"{PD}|{T2}",
        unless=T1,
        where=lambda h: h.echoes == 2 and h.te >= LONG_TE,
    ),
    Rule("PD and T2, short TE", "PDw", words=BOTH, where=lambda h: h.te < LONG_TE),
    Rule("PD and T2, long TE", "T2w", words=BOTH, where=lambda h: h.te >= LONG_TE),
    Rule("PD", "PDw", words=PD, unless=rf"{T1}|{T2}"),
    Rule("T2", "T2w", words=T2, unless=rf"{T1}|{PD}"),
    Rule(
        "T1",
        "T1w",
        words=rf"{T1}|mp2? ?rage|spgr|bravo\b|tfe\b|\btfl|vibe|mdeft|flash",
        unless=T2,
    ),
)

# Last the numbers, for series whose names say nothing.
NUMBERS = (
    Rule(
        "T2* gradient echo, by its echo time", where=lambda h: h.gradient_echo and h.te >= STAR_TE
    ),
    Rule("FLAIR, by TI", "FLAIR", where=lambda h: h.ti >= FLAIR_TI and h.te >= LONG_TE),
    Rule("STIR, by its inversion time", where=lambda h: not h.gradient_echo and 0 < h.ti <= FAT_TI),
    Rule("prepared T1", "T1w", where=lambda h: 0 < h.ti < FLAIR_TI and h.te <= SHORT_TE),
    Rule(
        "MPRAGE, by its preparation", "T1w", where=lambda h: h.gradient_echo and "MP" in h.variant
    ),
    Rule(
        "spoiled T1",
        "T1w",
        where=lambda h: h.gradient_echo and h.flip >= T1_FLIP and h.tr <= SHORT_TR,
    ),
    Rule(
        "spin-echo T1",
        "T1w",
        where=lambda h: h.te <= SHORT_TE and h.spin_echo and LEAST_TR <= h.tr <= SHORT_TR,
    ),
    Rule(
        "long TR and TE", "T2w", where=lambda h: h.te >= LONG_TE and h.spin_echo and h.tr >= LONG_TR
    ),
    Rule(
        "long TR, short TE",
        "PDw",
        where=lambda h: h.te <= SHORT_TE and h.spin_echo and h.tr >= LONG_TR,
    ),
)

# A T1 goes through these too. Clinics fill the agent's field for all of a visit's series.
BEFORE = r"\bpre\b(?! op)|\bpre ?(con|gad|gd)|\bnon? ?(con|gad|gd|enh)|without|\bw/?o\b|unenhanced"
AFTER = (
    r"\bpost(?! ?(op|erior|fossa|proc))|\+ ?(c|gd|gad|km|mdc)\b|\bc ?\+|\bt1w? ce?\b|\bce?$|\bce\b"
    r"|\bgd|\bgad\b|gado|contrast|enhanced|\bkm\b|\bmdc\b"
)
NO_AGENT = r"(none?|no\b.*|not\b.*|n|n/?a|nil|without.*|unknown|false|off|0|\W*)"
AGENT_NAMED = (
    Rule("T1 before the agent, by name", "T1w", words=BEFORE),
    Rule("T1 after the agent, by name", "T1c", words=AFTER),
)
AGENT_FILLED = (
    Rule(
        "T1 with an agent in its header",
        "T1c",
        where=lambda h: not re.fullmatch(NO_AGENT, h.agent.strip().lower()),
    ),
)
