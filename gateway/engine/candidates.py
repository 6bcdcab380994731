from gateway.config.registry import Registry
from gateway.policy.fallback import Candidate, candidates_for


class Candidates:
    """Who may answer for each model: looked up once, as the configuration stays while it is served."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[tuple[str, frozenset[str]], tuple[Candidate, ...]] = {}

    def of(self, name: str, needs: frozenset[str]) -> tuple[Candidate, ...]:
        """Lists who may answer, in order; empty for a model that does not exist."""
        known = self._known.get((name, needs))
        if known is not None:
            return known
        found = candidates_for(name, self._registry, needs)
        if name in self._registry.models:  # callers make up other names, and there is no end of these
            self._known[name, needs] = found
        return found
