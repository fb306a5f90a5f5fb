"""docs/prescription.md says what the code does: fields, ranges, rules, and the figures of its examples."""

import re
from pathlib import Path

import pytest
from stimfw.therapy import limits, rules
from stimfw.therapy.prescription import PER_LEAD, SHARED

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "prescription.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("known", SHARED + PER_LEAD, ids=lambda known: known.name)
def test_every_field_with_its_range(known):
    assert f"| `{known.name}` | {known.text()} |" in PAGE


def test_every_rule_by_its_number_and_name():
    assert re.findall(r"^\| (\d+) \| ([A-Za-z ]+) \|", PAGE, re.MULTILINE) == [
        (str(number), name) for number, name, _ in rules.RULES
    ]


def test_the_limits():
    for text in (
        f"{limits.COMPLIANCE_MV // 1000} V of 15 V",
        f"{limits.CHARGE_NC / 1000:g} uC: 30 uC/cm2",
        f"k = {limits.SHANNON_K_MILLI / 1000:g}, for {limits.ELECTRODE_MM2} mm2",
        f"{limits.DAY_S} s |",
        f"at least {limits.LEAST_BETWEEN_S} s",
        f"| {limits.NET_DC_NA} nA",
        f"| {limits.DUTY_PERMIL // 10} % |",
        f"| {limits.PULSE_DUTY_PERMIL // 10} % |",
        f"up to {limits.MISMATCH_PPM / 10_000:g} %",
        f"Q may be {limits.shannon_nc() / 1000} uC",
        f"{limits.shannon_nc(limits.SHANNON_MOST_K_MILLI) / 1000} uC",
    ):
        assert text in PAGE, text


def test_the_figures_of_the_examples():
    for width_us in (100, 214, 300, 500, 1000):
        shannon_ma = limits.of_charge_ua(limits.shannon_nc(), width_us) / 1000
        charge_ma = limits.of_charge_ua(limits.CHARGE_NC, width_us) / 1000
        assert re.search(rf"\| {width_us} us \| {shannon_ma:.3f} mA[^|]* \| {charge_ma:.3f} mA \|", PAGE)
    for ohm in (1000, 1500, 2000, 3000, 5000):
        short, long = (limits.compliance_ua(width_us, ohm, 2500) / 1000 for width_us in (214, 500))
        assert f"| {ohm} ohm | {short:.3f} mA | {long:.3f} mA |" in PAGE
    assert f"{limits.needed_mv(4000, 214, 500, 2500) / 1000:.3f} V in all" in PAGE
    assert f"at most {limits.net_dc_pa(4000, 214, 0, 50_000, 10_000, 500, 2500) / 1000:.2f} nA" in PAGE
    corner_pa = limits.net_dc_pa(10_000, 1000, 500, 50_000, 10_000, 500, 2500)
    assert f"it is {corner_pa / 1000:.0f} nA at most" in PAGE
