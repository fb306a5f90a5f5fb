"""The one error that the build shows to a person, without a traceback."""


class BuildError(Exception):
    """A build that cannot go on; the message says what to do about it.

    Attributes:
        exit_code: what the process returns: 2 when the machine lacks something, 1 when a step failed.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
