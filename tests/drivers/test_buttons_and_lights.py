"""Buttons, LEDs and the buzzer on stand-ins for machine's objects."""

from stimfw.drivers.button import Button
from stimfw.drivers.buzzer import Buzzer
from stimfw.drivers.led import Leds


class Pin:
    IRQ_FALLING, IRQ_RISING = 4, 8

    def __init__(self):
        self.level, self.handler, self.hard = 1, None, False

    def value(self):
        return self.level

    def __call__(self, level):
        self.level = level

    def irq(self, handler, trigger=0, hard=False):
        self.handler, self.hard = handler, hard


class Pwm:
    def __init__(self):
        self.calls = []

    def freq(self, hz):
        self.calls.append(("freq", hz))

    def duty_u16(self, duty):
        self.calls.append(("duty", duty))


def test_an_edge_wakes_and_is_told_once():
    pin, woken = Pin(), []
    button = Button(pin, lambda: woken.append(1))
    assert pin.hard and not button.down() and not button.take_edge()
    pin.level = 0
    pin.handler(pin)
    assert button.down() and woken == [1]
    assert button.take_edge() and not button.take_edge()
    button.release()
    assert pin.handler is None


def test_leds_show_the_bits_of_a_number():
    pins = [Pin(), Pin(), Pin()]
    leds = Leds(*pins)
    for lights in range(8):
        leds.show(lights)
        assert [pin.level for pin in pins] == [lights & 1, lights >> 1 & 1, lights >> 2 & 1]


def test_a_tone_is_set_once():
    pwm = Pwm()
    buzzer = Buzzer(pwm)
    for tone in (0, 2000, 2000, 400, 0, 0):
        buzzer.sound(tone)
    assert pwm.calls == [("freq", 2000), ("duty", 32768), ("freq", 400), ("duty", 32768), ("duty", 0)]
