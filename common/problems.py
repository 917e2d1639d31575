"""What may go wrong with something we owe the outside world, named by what to do next."""


class TemporaryProblem(Exception):
    """It may pass by waiting: try again later."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        #: seconds the other side asked us to wait, if it did
        self.retry_after = retry_after


class LastingProblem(Exception):
    """It will not pass by waiting: a person has to look."""


class UnknownOutcome(Exception):
    """It may have arrived or not: the machine must not repeat it by itself."""
