"""Who reads the meter: a person whose slips are caught, an instrument, and the bench's model."""

import pytest
from stimbench.calibrate.meters import BackError, TypedMeter, VisaMeter, is_plausible, meter_kind
from stimbench.errors import InputError, RigError
from stimbench.parts import meter as part


class Person:
    """Types what it was told to, and keeps what it was asked and told."""

    def __init__(self, *typed: str) -> None:
        self._typed = list(typed)
        self.asked: list[str] = []
        self.told: list[str] = []

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self._typed.pop(0)

    def meter(self) -> TypedMeter:
        return TypedMeter(self.ask, self.told.append)


@pytest.mark.parametrize("typed", ["1.998", " 1.998 ", "-1.998", "1,998", "1.998 V", "1.998v"])
def test_a_number_is_read_as_people_write_it(typed) -> None:
    assert Person(typed).meter().read_v(0, 1600, 2.0) == pytest.approx(1.998)


@pytest.mark.parametrize("slip", ["", "two", "1998", "19.98", "0.2", "nan", "inf"])
def test_what_cannot_be_is_asked_for_again(slip) -> None:
    person = Person(slip, "2.001")
    assert person.meter().read_v(0, 1600, 2.0) == pytest.approx(2.001)
    assert len(person.asked) == 2 and len(person.told) == 1


@pytest.mark.parametrize("typed", ["b", "B", "back"])
def test_b_goes_back(typed) -> None:
    with pytest.raises(BackError):
        Person(typed).meter().read_v(1, 64, 0.08)


def test_the_person_is_told_where_the_resistor_goes() -> None:
    person = Person("", "")
    person.meter().join(1)
    person.meter().part()
    assert "R_X and R_B" in person.told[0] and "off" in person.told[1]


def test_every_sound_board_is_plausible_and_no_other_range_is() -> None:
    for code in (64, 256, 4095):
        expected = code * 2.5e-6 * 500
        for share, offset in ((1.024, 0.052), (0.976, -0.052)):
            assert is_plausible(expected * share + offset, expected)
    assert not is_plausible(2.0, 0.2) and not is_plausible(0.2, 2.0)


class Instrument:
    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def query(self, message: str) -> str:
        self.asked.append(message)
        return self.answers.pop(0)


def visa(*answers: str) -> tuple[VisaMeter, Instrument]:
    instrument = Instrument(*answers)
    person = Person("", "")
    opened = lambda name, backend: instrument  # noqa: E731
    return VisaMeter("TCPIP::meter::INSTR", person.ask, person.told.append, opened), instrument


def test_an_instrument_is_asked_in_scpi() -> None:
    meter, instrument = visa("-1.99874E+00\n")
    assert meter.read_v(0, 1600, 2.0) == pytest.approx(1.99874)
    assert instrument.asked == ["MEAS:VOLT:DC?"]


def test_an_instrument_that_settles_is_asked_three_times() -> None:
    meter, _ = visa("0.1", "1.2", "1.999")
    assert meter.read_v(0, 1600, 2.0) == pytest.approx(1.999)
    meter, _ = visa("0.1", "0.1", "0.1")
    with pytest.raises(RigError, match=r"0\.1 V for code 1600 of the left lead"):
        meter.read_v(0, 1600, 2.0)


def test_an_instrument_that_talks_nonsense_is_a_fault_of_the_rig() -> None:
    with pytest.raises(RigError, match="no voltage"):
        visa("ERR")[0].read_v(0, 1600, 2.0)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("typed", ("typed", "")),
        ("emulated", ("emulated", "")),
        ("visa:USB0::1::INSTR", ("visa", "USB0::1::INSTR")),
    ],
)
def test_a_meter_is_named(word, kind) -> None:
    assert meter_kind(word) == kind


@pytest.mark.parametrize("word", ["", "visa", "visa:", "typed:1", "fluke"])
def test_another_word_is_no_meter(word) -> None:
    with pytest.raises(InputError, match="no meter"):
        meter_kind(word)


def test_the_model_keeps_what_its_maker_promises() -> None:
    for seed in range(20):
        meter = part.Meter(seed)
        for volts in (0.0, 0.08, -0.32, 0.59, 2.0, -5.1, 12.0):
            full = 0.6 if abs(volts) < 0.59 else 6.0 if abs(volts) < 5.9 else 60.0
            share = 0.001 if full == 0.6 else 0.0005
            count = full / 6000
            allowed = abs(volts) * share + 1.5 * count
            assert abs(meter.read(volts) - volts) <= allowed, (seed, volts)
            assert meter.read(volts) == meter.read(volts)
    with pytest.raises(ValueError, match="beyond"):
        part.Meter(1).read(61.0)


def test_the_model_of_the_resistor_is_within_its_tolerance() -> None:
    drawn = [part.resistor_ohm(seed, 500.0) for seed in range(50)]
    assert all(abs(ohm - 500.0) <= 0.5 for ohm in drawn) and len(set(drawn)) == 50
