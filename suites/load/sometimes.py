"""A provider that fails now and then, and for the same requests in every run."""

from dataclasses import dataclass

from fixtures.history.marks import marked_in
from fixtures.simulators.protocol import Plan
from fixtures.simulators.steps import Scene, Step


@dataclass(frozen=True, slots=True)
class Sometimes:
    """Spoils one call in so many, by one of the steps after the other; which call it is its request's number says."""

    one_in: int
    steps: tuple[Step, ...]

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        mark = marked_in(str(scene.query.body))
        number = int(mark.removeprefix("r-")) if mark else 1
        turn, left = divmod(number, self.one_in)
        return plan if left else self.steps[turn % len(self.steps)].alter(plan, scene)
