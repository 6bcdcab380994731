from collections.abc import Sequence
from dataclasses import dataclass

from gateway.policy.fallback import Candidate


@dataclass(frozen=True, slots=True)
class Active:
    """The provider that an operator has chosen, and the one model of it that is meant, if any."""

    provider: str
    model: str | None = None

    def is_meant(self, candidate: Candidate) -> bool:
        return candidate.provider.name == self.provider and self.model in {None, candidate.model.name}


class Activation:
    """Which provider is asked first by an operator's word, wherever it is among those that may answer."""

    def __init__(self) -> None:
        self.active: Active | None = None

    def activate(self, provider: str, model: str | None) -> None:
        self.active = Active(provider, model)

    def deactivate(self, provider: str) -> None:
        """Returns to the order that is configured; nothing happens where another provider is active."""
        if self.active is not None and self.active.provider == provider:
            self.active = None

    def arrange(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Puts those of the active provider first; the order is otherwise kept."""
        if self.active is None:
            return tuple(candidates)
        return tuple(sorted(candidates, key=lambda candidate: not self._is_active(candidate)))

    def _is_active(self, candidate: Candidate) -> bool:
        return self.active is not None and self.active.is_meant(candidate)
