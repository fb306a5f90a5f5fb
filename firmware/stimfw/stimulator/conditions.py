"""In which states the stimulator refuses: a method for each word of the column CONDITIONS of requests.TABLE.

When something may begin, the machine of states says (stimfw.therapy.machine); here it is only asked. Control
asks it again in the moment of the start, and with the values of a programme, which this column does not see.
"""

from typing import TYPE_CHECKING

from stimfw.protocol import messages, refusals
from stimfw.therapy import machine

_NOT_IMPLANTED = 14  # therapy_reasons.NOT_IMPLANTED, which a board on the bench does not import

if TYPE_CHECKING:
    from stimfw.protocol.refusals import Answer
    from stimfw.stimulator.control import Control
    from stimfw.storage.pairings import PairingTable


class Conditions:
    """Each gives the reason of a refusal, or REASON_NONE."""

    is_implanted = False

    def __init__(self, control: "Control", table: "PairingTable") -> None:
        self._control = control
        self._table = table

    def outcome(self, reason: int) -> "Answer":
        """Done without a value, or refused in the present state: messages.REASON_...."""
        if reason == messages.REASON_NONE:
            return refusals.done()
        return refusals.wrong_state(self._control.state(), reason)

    def session_allowed(self) -> int:
        """A session may begin, or runs."""
        return self._control.refusal(machine.START)

    def test_allowed(self) -> int:
        """One contraction may begin."""
        return self._control.refusal(machine.TEST)

    def impedance_allowed(self) -> int:
        """A measurement of impedance may begin."""
        return self._control.refusal(machine.MEASURE)

    def self_test_allowed(self) -> int:
        """A self-test may begin: also after one that failed."""
        return self._control.refusal(machine.SELF_TEST)

    def output_off(self) -> int:
        """No procedure runs. Flash takes up to 0.1 s, in which no STOP is heard."""
        return messages.REASON_LOCKED if self._control.busy() else messages.REASON_NONE

    def window_closed(self) -> int:
        """No pairing is under way."""
        return messages.REASON_PAIRING if self._control.pairing else messages.REASON_NONE

    def records_usable(self) -> int:
        """The pairings on flash could be read."""
        return messages.REASON_NONE if self._table.base else messages.REASON_STORAGE

    def random_works(self) -> int:
        """The random source has passed all its tests."""
        failed = self._control.failed_parts & messages.PART_RANDOM
        return messages.REASON_RANDOM if failed else messages.REASON_NONE

    def implanted(self) -> int:
        """The stimulator is no board on the bench any more."""
        return messages.REASON_NONE if self.is_implanted else _NOT_IMPLANTED

    def magnet_near(self) -> int:
        """A magnet is held at the stimulator."""
        return messages.REASON_NONE if self._control.magnet_near() else messages.REASON_NO_MAGNET
