"""What the codes of the converter stand for: the scale factors of the reference bench.

Each follows from its circuit (docs/hardware.md, the signal chain of one lead). For a bench with other parts,
change them here and in stimfw.pulses.lead_scales, and nowhere else.
"""

# Converter: 3.3 V over 4096 codes. The sense amplifier divides the electrode voltage by 10:
# 3300 mV x 10 / 4096 = 8.0566 mV a code, which is 8250 / 1024 exactly.
MV_PER_1024_CODES = 8250
UV_PER_CODE = 8057
# The shunt's amplifier gives 0.15 V for 1 mA, 0.15 mV for 1 uA:
# 3300 mV / 0.15 mV / 4096 = 5.3711 uA a code, which is 5500 / 1024 exactly.
UA_PER_1024_CODES = 5500
NA_PER_CODE = 5371

# VSYS: the Pico divides it by 3, so all codes together are 3 x 3300 mV.
_SUPPLY_RANGE_MV = 9900
# The chip's temperature sensor: 0.706 V at 27 C, and 1.721 mV less a degree above (RP2040 datasheet, 4.9.5).
_CONVERTER_RANGE_UV = 3_300_000
_SENSOR_DC = 270
_SENSOR_UV = 706_000
_SENSOR_UV_PER_DEGREE = 1721


def supply_mv(code16: int) -> int:
    """VSYS in mV of its channel's code times 16 (0-65535)."""
    return code16 * _SUPPLY_RANGE_MV // 65536


def temperature_dc(code16: int) -> int:
    """Die temperature in tenths of a degree of its channel's code times 16 (0-65535)."""
    above_uv = code16 * _CONVERTER_RANGE_UV // 65536 - _SENSOR_UV
    return _SENSOR_DC - above_uv * 10 // _SENSOR_UV_PER_DEGREE
