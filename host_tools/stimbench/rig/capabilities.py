"""What a wired bench can do, by its file: each question is answered with why it cannot, or with nothing."""

from __future__ import annotations

from collections.abc import Iterable

from stimbench.rig.file import BenchFile

__all__ = ("lacks_deed", "lacks_load", "lacks_signals")

_TOLERANCE = 0.01
"""Between the resistance of a plan's load and that of the bench's load of the same name."""
_WORDS = {
    "magnet": "magnet",
    "hang": "way to stop the stimulator's CPU",
    "jammer": "jammer",
}


def lacks_load(file: BenchFile, name: str, ohm: float, electrodes: Iterable[int], attended: bool) -> str:
    """Why a load cannot be on the leads.

    Args:
        file: of the bench.
        name: as a plan has it.
        ohm: between two electrodes.
        electrodes: those that are used.
        attended: whether a person can be asked to wire it.

    Returns:
        A reason, or an empty text.
    """
    load = file.loads.get(name)
    if load is None:
        return f"the rig has no load {name!r}; it has {', '.join(file.loads) or 'none'}"
    if abs(load.resistance_ohm - ohm) > _TOLERANCE * ohm:
        return f"the rig's load {name!r} has {load.resistance_ohm:g} ohm, and the plan's {ohm:g} ohm"
    bare = sorted(set(electrodes) - set(load.electrodes))
    if bare:
        return f"the rig's load {name!r} is not wired to electrode {', '.join(map(str, bare))}"
    if load.by_hand and not attended:
        return f"it needs a person, who wires the load {name!r}"
    return ""


def lacks_deed(file: BenchFile, needs: str, load: str, attended: bool) -> str:
    """Why a fault cannot be made.

    Args:
        file: of the bench.
        needs: what it needs, as FaultKind.needs has it.
        load: the name of the load on the leads.
        attended: whether a person can be asked.

    Returns:
        A reason, or an empty text.
    """
    if needs == "":
        return ""
    if needs == "power":
        return "" if file.power else "the rig has no power switch"
    if needs == "loads":
        if load not in file.loads or not file.loads[load].by_hand:
            return f"the rig has no wires that a person may break: the load {load!r} is not by_hand"
        return "" if attended else "it needs a person, who breaks a wire"
    if needs not in file.has:
        return f"the rig has no {_WORDS.get(needs, needs)}"
    return "" if attended else f"it needs a person, who has a {_WORDS.get(needs, needs)}"


def lacks_signals(file: BenchFile, wanted: Iterable[str]) -> str:
    """Which of these signals no instrument of the bench records.

    Returns:
        A reason, or an empty text.
    """
    missing = [name for name in wanted if name not in file.signals]
    return f"the rig records no {', '.join(missing)}" if missing else ""
