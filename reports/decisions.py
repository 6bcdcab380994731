"""The four words that the evidence can say of a release, and the reasons for them."""

from dataclasses import dataclass
from enum import StrEnum


class Decision(StrEnum):
    """What the evidence says of the release, the weightiest first: of several reasons the weightiest decides."""

    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    GO_WITH_WAIVERS = "GO WITH WAIVERS"
    GO = "GO"

    @property
    def weight(self) -> int:
        """Return 0 for the weightiest."""
        return tuple(Decision).index(self)

    @property
    def exit_code(self) -> int:
        """Return the exit code of the command line; 2 is left to wrong use."""
        return {Decision.NO_GO: 1, Decision.INCONCLUSIVE: 3}.get(self, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why the verdict is what it is: the rule's id, what it makes of the release at best, and where it was seen.

    A reason whose `decision` is GO blocks nothing: it is a caveat that the reader should know.
    """

    rule: str
    decision: Decision
    text: str
    item: str | None = None
    nodeids: tuple[str, ...] = ()
