"""The converter read by the CPU, while no train runs: baselines, supply and die temperature."""

import micropython
from micropython import const

from stimfw.pulses import calibration

_ADC = const(0x4004C000)
_EN_TS_START_ONCE = const(0x7)  # enable, temperature sensor, one conversion (RP2040 datasheet, table 566)
_AINSEL = const(12)
_CHANNEL_VSYS = const(3)
_CHANNEL_TEMPERATURE = const(4)


class Sense:
    """ADC channels by number, averaged. Not to be used while a Sampler is armed."""

    def mean16(self, channel: int, readings: int) -> int:
        """16 times the mean code of `readings` conversions (1-256) of a channel."""
        total: int = _add_up(_EN_TS_START_ONCE | channel << _AINSEL, readings)
        return total * 16 // readings

    def supply_mv(self) -> int:
        """VSYS in mV."""
        return calibration.supply_mv(self.mean16(_CHANNEL_VSYS, 16))

    def temperature_dc(self) -> int:
        """Die temperature in tenths of a degree."""
        return calibration.temperature_dc(self.mean16(_CHANNEL_TEMPERATURE, 16))


@micropython.viper
def _add_up(start_one: int, readings: int) -> int:
    """The sum of so many conversions, each begun by writing `start_one` to CS."""
    registers = ptr32(_ADC)  # type: ignore[name-defined]  # noqa: F821
    total = 0
    for _ in range(readings):
        registers[0] = start_one  # CS
        while not registers[0] & 0x100:  # CS.READY
            pass
        total += registers[1]  # RESULT
    return total
