"""The handheld remote: three buttons, three LEDs, a buzzer and one end of the radio link."""
