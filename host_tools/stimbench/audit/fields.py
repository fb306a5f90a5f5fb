"""What can be entered of an outcome: scores with their ranges, and coded events. There is no free text.

Each has the outcome of NICE's scope HTG10168 (June 2026, table 1) that it stands for. Where the scope names
no instrument, the scale is this project's own, and its text says so.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("CAUSES", "EVENTS", "INDICATION", "SCORES", "SEVERITIES", "EventCode", "ScoreField")


@dataclass(frozen=True)
class ScoreField:
    """A score.

    Attributes:
        name: as it is typed.
        title: in words.
        nice: the outcome that it stands for.
        low, high: what is allowed.
        decimals: how many a value may have.
        better: 1 if more is better, -1 if less is, 0 if it has no direction.
        meaningful: the least change that is clinically meaningful; None: none is stated.
        words: of a coded score, the codes of low, low + 1, ...
        note: where scale and meaningful change come from.
    """

    name: str
    title: str
    nice: str
    low: float
    high: float
    decimals: int = 0
    better: int = 1
    meaningful: float | None = None
    words: tuple[str, ...] = ()
    note: str = ""

    def text(self, value: float) -> str:
        """A value in words."""
        return self.words[round(value - self.low)] if self.words else f"{value:.{self.decimals}f}"

    @property
    def allowed(self) -> str:
        """The range in words."""
        if self.words:
            return "one of " + ", ".join(self.words)
        steps = f" with up to {self.decimals} decimals" if self.decimals else ", whole"
        return f"{self.low:g} to {self.high:g}{steps}"


SCORES: dict[str, ScoreField] = {
    field.name: field
    for field in (
        ScoreField(
            "nrs", "low back pain, numeric rating scale", "symptom relief", 0, 10, 1, -1, 2,
            note="0 no pain, 10 the worst; a mean of several days may have a decimal",
        ),
        ScoreField(
            "odi", "Oswestry Disability Index, %", "back function or stability", 0, 100, 1, -1, 10,
            note="0 no disability",
        ),
        ScoreField(
            "eq5d", "EQ-5D index", "quality of life", -1.1, 1, 3,
            note="1 full health; the lower end hangs on the value set",
        ),
        ScoreField("eqvas", "EQ-5D visual analogue scale", "quality of life", 0, 100, note="100 the best"),
        ScoreField(
            "satisfaction", "satisfaction with the treatment", "satisfaction", 1, 5, words=(
                "very-dissatisfied", "dissatisfied", "neither", "satisfied", "very-satisfied"),
            note="this project's scale; very-satisfied is also for answers of definitely satisfied",
        ),
        ScoreField(
            "work", "work", "return to work", 1, 5, better=0, words=(
                "full", "reduced", "off-because-of-back", "not-for-other-reasons", "retired"),
            note="this project's scale",
        ),
        ScoreField(
            "adl", "activities of daily living, limited by the back", "activities of daily living", 0, 10,
            better=-1, note="this project's scale: 0 not limited, 10 wholly",
        ),
        ScoreField(
            "opioids", "opioids, oral morphine equivalent, mg a day", "reduced medication use", 0, 2000,
            better=-1, note="0 none",
        ),
        ScoreField(
            "medication", "medication for back pain, against the baseline", "reduced medication use", 1, 4,
            better=0, words=("none", "less", "same", "more"), note="this project's scale",
        ),
        ScoreField(
            "cgi", "clinician's impression of the change", "symptom relief", 1, 7, words=(
                "much-worse", "worse", "little-worse", "same", "little-better", "better", "much-better"),
            note="seven steps; this project's words",
        ),
    )
}  # fmt: skip

INDICATION = {"nrs": 6.0, "odi": 21.0}
"""The least baseline scores of candidates, as published in 2021: NRS >= 6, ODI >= 21 %."""


@dataclass(frozen=True)
class EventCode:
    """A coded event.

    Attributes:
        code: as it is typed.
        title: in words.
        nice: the outcome that it stands for.
        safety: whether it is a safety outcome; others need no severity and no cause.
        ends: whether the device is out of the body after it.
    """

    code: str
    title: str
    nice: str
    safety: bool = True
    ends: bool = False


_LEAD = "lead problems"
_STIMULATION = "inadequate, intermittent, over- or loss of stimulation"
_WOUND = "wound complications"
_DISCOMFORT = "discomfort from lead anchors or pocket"
EVENTS: dict[str, EventCode] = {
    event.code: event
    for event in (
        EventCode("implantation-successful", "implantation, successful", "successful implantation", False),
        EventCode("implantation-failed", "implantation, not successful", "successful implantation"),
        EventCode(
            "explant-no-efficacy", "explantation: lack of efficacy",
            "explantation because of lack of efficacy", False, True,
        ),
        EventCode(
            "explant-pain-resolved", "explantation: pain has resolved",
            "explantation because of pain resolution", False, True,
        ),
        EventCode(
            "explant-adverse-event", "explantation: adverse event", "explantation because of adverse events",
            ends=True,
        ),
        EventCode("explant-other", "explantation: another reason", "early removal", False, True),
        EventCode("lead-migration", "lead migration", _LEAD),
        EventCode("lead-erosion", "lead erosion", _LEAD),
        EventCode("lead-fracture", "lead fracture", _LEAD),
        EventCode("inadequate-stimulation", "inadequate stimulation", _STIMULATION),
        EventCode("intermittent-stimulation", "intermittent stimulation", _STIMULATION),
        EventCode("over-stimulation", "over-stimulation", _STIMULATION),
        EventCode("loss-of-stimulation", "loss of stimulation", _STIMULATION),
        EventCode("generator-failure", "pulse generator failure", "pulse generator failure"),
        EventCode("wound-infection", "infection near the implantation site", _WOUND),
        EventCode("wound-haemorrhage", "haemorrhage near the implantation site", _WOUND),
        EventCode("wound-inflammation", "inflammation near the implantation site", _WOUND),
        EventCode("wound-haematoma", "haematoma near the implantation site", _WOUND),
        EventCode("surgical-site-pain", "pain at the surgical site", "post-operative surgical site pain"),
        EventCode("anchor-discomfort", "discomfort from lead anchors", _DISCOMFORT),
        EventCode("pocket-discomfort", "discomfort from the pocket", _DISCOMFORT),
        EventCode("muscle-fatigue", "muscle fatigue", "muscle fatigue"),
        EventCode("undesired-sensations", "undesired sensations", "undesired sensations"),
        EventCode("nerve-irritation", "nerve irritation", "nerve irritation"),
        EventCode("nerve-damage", "nerve damage or degeneration", "nerve damage or degeneration"),
        EventCode("revision-surgery", "revision surgery", "revision surgery"),
        EventCode("other-adverse-event", "another adverse event", "procedure or device related event"),
    )
}  # fmt: skip

SEVERITIES = ("none", "mild", "moderate", "severe", "life-threatening", "fatal")
"""`none` is for what is no adverse event only."""
CAUSES = ("device", "procedure", "neither", "unknown")
