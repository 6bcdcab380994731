"""The verdicts of FailoverBench's sixteen scenarios, restated: pure, from what callers heard and providers received.

*pass*: the caller got the whole canonical answer (S13: a clean error), and every check held. *partial*: answered, but
an advisory check failed. *safe*: not answered, but ended in bounded time with a clean error, and the required checks
held. *fail*: a hang, a truncated answer as a success, or a required check failed.

Source: failoverbench/failoverbench, methodology v0.1. Times are those of its full profile; `Clock` scales them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

from suites.chaos.hearing import End, Heard

TOKENS = 60
"""How many tokens the canonical answer has."""

HEALTHY_WITHIN_S = 10.0
"""How soon after a scenario a healthy call must succeed."""


class Verdict(StrEnum):
    """What a cell of the scorecard says, the best first."""

    PASS = "pass"
    PARTIAL = "partial"
    SAFE = "safe"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Clock:
    """How long things last, as a share of FailoverBench's full profile.

    Bounds on what a gateway may take are scaled as well, but never below `least_bound_s`: a busy machine needs its time
    however short the faults are.
    """

    factor: float = 1.0
    least_bound_s: float = 5.0

    @property
    def deadline_s(self) -> float:
        """When a request that has not ended counts as hanging."""
        return self.bound_s(130)

    def lasts_s(self, full_s: float) -> float:
        """Return how long a fault, or a wait that is configured, lasts."""
        return full_s * self.factor

    def bound_s(self, full_s: float) -> float:
        """Return how long a gateway may take."""
        return full_s if self.factor == 1 else max(full_s * self.factor, self.least_bound_s)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that a provider received: when, and how large its conversation was in bytes."""

    began_s: float
    size: int = 0

    @classmethod
    def of(cls, began_s: float, body: Any) -> "Attempt":
        messages = body.get("messages") if isinstance(body, dict) else body
        return cls(began_s, len(json.dumps(messages)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One scenario as it went: every answer that was heard, and the attempts at both providers.

    `text` is the canonical answer. `healthy_after_s` is how long the healthy call afterwards took, None where it
    failed. `refusal_words` tell the fallback's refusal in an error. `healed_s` is when an outage was over, monotonic;
    `returned_s` when the primary first answered again, None: never.
    """

    heard: tuple[Heard, ...]
    text: str
    primary: tuple[Attempt, ...] = ()
    fallback: tuple[Attempt, ...] = ()
    fallback_model: str = ""
    refusal_words: tuple[str, ...] = ()
    healthy_after_s: float | None = 0.0
    healed_s: float | None = None
    returned_s: float | None = None
    clock: Clock = field(default=Clock())

    @property
    def took_s(self) -> float:
        return max(heard.took_s for heard in self.heard)

    @property
    def answered(self) -> bool:
        return all(heard.is_answer(self.text) for heard in self.heard)

    @property
    def clean_error(self) -> bool:
        """Whether every request ended with an error that is told."""
        return all(heard.end is End.ERROR for heard in self.heard)

    def gaps_s(self) -> list[float]:
        """Return the seconds between the attempts at the primary."""
        begun_s = [attempt.began_s for attempt in self.primary]
        return [later - earlier for earlier, later in pairwise(begun_s)]

    def within(self, full_s: float, attempts: Sequence[Attempt]) -> int:
        """Return how many attempts began within the first so many seconds."""
        if not attempts:
            return 0
        limit_s = attempts[0].began_s + self.clock.lasts_s(full_s)
        return sum(attempt.began_s <= limit_s for attempt in attempts)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, or should where it is advisory."""

    text: str
    holds: Callable[[Run], bool]
    advisory: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario; `wants_error` where a clean error is the right answer."""

    id: str
    title: str
    checks: tuple[Check, ...] = ()
    wants_error: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a run, and what it rests on, a sentence each."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.verdict}: {'; '.join(self.reasons)}" if self.reasons else str(self.verdict)


def judge(scenario: Scenario, run: Run) -> Judgement:
    """Return the verdict on a run of a scenario."""
    failed = [check for check in (*_ALWAYS, *scenario.checks) if not check.holds(run)]
    required = tuple(check.text for check in failed if not check.advisory)
    if required:
        return Judgement(Verdict.FAIL, required)
    advisory = tuple(check.text for check in failed)
    right = run.clean_error if scenario.wants_error else run.answered
    if not right:
        return Judgement(Verdict.SAFE, tuple(f"not as it should end: {heard}" for heard in run.heard))
    return Judgement(Verdict.PARTIAL, advisory) if advisory else Judgement(Verdict.PASS)


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """Return the judgement of a cell whose scenario was run in several ways."""
    return max(judgements, key=lambda judgement: list(Verdict).index(judgement.verdict))


def _is_no_hang(run: Run) -> bool:
    return run.took_s < run.clock.deadline_s


def _is_no_lie(run: Run) -> bool:
    """Whether nothing is a success but the whole answer; an end without a word is taken for one by many clients."""
    return all(
        heard.end is not End.CUT and (heard.end is not End.ANSWER or heard.text == run.text)
        for heard in run.heard
    )


def _is_healthy_after(run: Run) -> bool:
    return run.healthy_after_s is not None and run.healthy_after_s <= HEALTHY_WITHIN_S


_ALWAYS = (
    Check("no hang", _is_no_hang),
    Check("no truncated answer as a success", _is_no_lie),
    Check("a healthy call succeeds within 10 s afterwards", _is_healthy_after),
)
