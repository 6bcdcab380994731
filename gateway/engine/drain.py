class Drain:
    """Whether the gateway is shutting down: requests in flight finish, new ones are sent elsewhere."""

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        self._begun = True

    @property
    def begun(self) -> bool:
        return self._begun
