"""A device's audit as a FHIR R5 Bundle (HL7 FHIR 5.0.0), without any patient.

Device: the generator, and its leads, whose `parent` is the generator. DeviceMetric: impedance of each lead;
its `calibration` is `unspecified`, for the journal tells of none. Observation: every impedance that has a
date, what each lead has delivered, adherence, and each score.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from stimfw.therapy.ranges import LEADS

from stimbench.audit.device import DeviceAudit
from stimbench.audit.leads import Impedance, LeadTotal
from stimbench.audit.outcomes import Score

__all__ = ("SYSTEM", "bundle_of")

SYSTEM = "urn:stimbench:device"
"""Of the pseudonymous ids; a name of this project's own, registered nowhere."""
_UCUM = "http://unitsofmeasure.org"
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, SYSTEM)


def bundle_of(audit: DeviceAudit, now_s: int) -> dict[str, Any]:
    """The bundle as plain data for JSON: the same audit gives the same bundle.

    Args:
        audit: of one device.
        now_s: seconds since 1970, the bundle's time stamp.
    """
    resources = list(_resources(audit))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _instant(now_s),
        "entry": [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources],
    }


def _resources(audit: DeviceAudit) -> Iterator[dict[str, Any]]:
    yield _device(audit)
    for lead in LEADS:
        yield _lead(audit, lead)
        yield _metric(audit, lead)
    for index, each in enumerate(audit.impedances):
        if each.at_s is not None and each.lead < len(LEADS):
            yield _impedance(audit, each, index)
    for total in audit.leads:
        yield from _delivered(audit, total)
    if audit.adherence.share is not None:
        what = "share of prescribed sessions that were complete"
        percent = round(100 * audit.adherence.share, 1)
        value = {"valueQuantity": _quantity(percent, "%", "%")}
        yield _observation(audit, "adherence", what, audit.pulled_s, value)
    for score in [*audit.baselines, *(change.score for change in audit.changes)]:
        yield _score(audit, score)


def _id(audit: DeviceAudit, name: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{audit.device_id} {name}"))


def _reference(audit: DeviceAudit, name: str) -> dict[str, str]:
    return {"reference": f"urn:uuid:{_id(audit, name)}"}


def _instant(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _quantity(value: float, unit: str, code: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": _UCUM, "code": code}


def _device(audit: DeviceAudit) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Device",
        "id": _id(audit, "generator"),
        "identifier": [{"system": SYSTEM, "value": audit.device_id}],
        "status": "inactive" if audit.explanted_s else "active",
        "type": [{"text": "implanted pulse generator of a bench, not for a person"}],
    }
    if audit.firmware:
        made["version"] = [{"type": {"text": "firmware"}, "value": audit.firmware}]
    return made


def _lead(audit: DeviceAudit, lead: str) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": _id(audit, lead),
        "identifier": [{"system": SYSTEM, "value": f"{audit.device_id}-{lead}"}],
        "type": [{"text": f"{lead} lead, four electrodes"}],
        "parent": _reference(audit, "generator"),
    }


def _metric(audit: DeviceAudit, lead: str) -> dict[str, Any]:
    return {
        "resourceType": "DeviceMetric",
        "id": _id(audit, f"impedance {lead}"),
        "type": {"text": "impedance of an electrode pair"},
        "unit": {"coding": [{"system": _UCUM, "code": "Ohm"}]},
        "device": _reference(audit, lead),
        "category": "measurement",
        "calibration": [{"type": "unspecified", "state": "unspecified"}],
    }


def _observation(
    audit: DeviceAudit, name: str, what: str, at_s: int | None, values: Mapping[str, Any],
    device: str = "generator",
) -> dict[str, Any]:  # fmt: skip
    made = {
        "resourceType": "Observation",
        "id": _id(audit, f"observation {name}"),
        "status": "final",
        "code": {"text": what},
        "device": _reference(audit, device),
        **values,
    }
    if at_s is not None:
        made["effectiveDateTime"] = _instant(at_s)
    return made


def _impedance(audit: DeviceAudit, each: Impedance, index: int) -> dict[str, Any]:
    lead = LEADS[each.lead]
    pair = {"code": {"text": "electrode pair"}, "valueString": each.pair}
    values: dict[str, Any] = {"component": [pair]}
    if each.kind == "ok":
        values["valueQuantity"] = _quantity(each.ohm, "ohm", "Ohm")
    else:
        values["dataAbsentReason"] = {"text": each.kind}
    what = "impedance of an electrode pair"
    made = _observation(audit, f"impedance {index}", what, each.at_s, values, lead)
    made["device"] = _reference(audit, f"impedance {lead}")
    return made


def _delivered(audit: DeviceAudit, total: LeadTotal) -> Iterator[dict[str, Any]]:
    figures = (
        ("pulses delivered", total.pulses, "pulses", "1"),
        ("charge delivered in cathodic phases", total.charge_uc, "uC", "uC"),
        ("contractions", total.contractions, "contractions", "1"),
        ("mean amplitude measured", None if total.mean_ua is None else round(total.mean_ua, 1), "uA", "uA"),
    )
    for what, value, unit, code in figures:
        if value is not None:
            values = {"valueQuantity": _quantity(value, unit, code)}
            yield _observation(audit, f"{what} {total.lead}", what, audit.pulled_s, values, total.lead)


def _score(audit: DeviceAudit, score: Score) -> dict[str, Any]:
    field = score.field
    value = {"valueString": score.text} if field.words else {"valueQuantity": {"value": score.value}}
    made = _observation(audit, f"score {score.id}", field.title, None, value)
    made["effectiveDateTime"] = score.on.isoformat()
    if score.baseline:
        made["note"] = [{"text": "baseline"}]
    return made
