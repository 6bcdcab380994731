"""The verdicts on FailoverBench's scenarios: each rule has a run that keeps it and one that breaks it."""

from collections.abc import Sequence
from typing import Any

import pytest

from suites.chaos.failoverbench import Attempt, Clock, Judgement, Run, Verdict, judge, worst
from suites.chaos.failoverbench_scenarios import SCENARIOS
from suites.chaos.hearing import End, Heard

TEXT = "the whole answer"
SENT_S = 100.0


def heard(end: End = End.ANSWER, text: str = TEXT, took_s: float = 1.0, **more: Any) -> Heard:
    given = {"sent_s": SENT_S, "has_usage": True, "model": "fallback", "headers": {}, "status": 200, **more}
    return Heard(end=end, text=text, took_s=took_s, **given)


def run(*answers: Heard, at_s: Sequence[float] = (0.0, 2.0), **more: Any) -> Run:
    """Return a run in which all is well: the primary was tried at these seconds."""
    attempts = tuple(Attempt(SENT_S + second, size=1) for second in at_s)
    return Run(heard=answers or (heard(),), text=TEXT, primary=attempts, fallback_model="fallback", **more)


ERROR = heard(End.ERROR, text="")
LATER: dict[str, Any] = {"healed_s": SENT_S + 60, "returned_s": SENT_S + 65}

GOOD = {
    "S06": run(at_s=(0,)),
    "S07": run(at_s=(0,)),
    "S12": run(at_s=(0,)),
    "S13": run(ERROR, at_s=(0,)),
    "S15": run(**LATER),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_good_run_passes(scenario: str) -> None:
    """A run in which every request was answered and every check holds passes."""
    judgement = judge(SCENARIOS[scenario], GOOD.get(scenario, run()))
    assert judgement == Judgement(Verdict.PASS)


FAILING = {
    "a hang": ("S08", run(heard(End.BROKEN, took_s=130))),
    "a truncated answer as a success": ("S08", run(heard(text="the whole"))),
    "an end without a word": ("S08", run(heard(End.CUT, text="the whole"))),
    "a truth without an end": ("S11", run(heard(End.CUT))),
    "no healthy call afterwards": ("S05", run(healthy_after_s=None)),
    "a late healthy call": ("S05", run(healthy_after_s=10.5)),
    "S01 asks three times at once": ("S01", run(at_s=(0, 0.5, 1.4))),
    "S02 asks five times within 3 s": ("S02", run(at_s=(0, 0.5, 1, 2, 3))),
    "S02 asks seven times": ("S02", run(at_s=(0, 4, 8, 12, 16, 20, 24))),
    "S04 asks seven times": ("S04", run(at_s=range(7))),
    "S06 takes too long": ("S06", run(heard(took_s=101), at_s=(0,))),
    "S09 takes too long": ("S09", run(heard(took_s=46))),
    "S11 takes too long": ("S11", run(heard(took_s=9))),
    "S12 asks the same again": ("S12", run(at_s=(0, 1))),
    "S12 asks thrice": ("S12", run(at_s=(0, 1, 2))),
    "S13 asks again": ("S13", run(ERROR, at_s=(0, 1))),
    "S14 tells of the refused prefill": (
        "S14",
        run(heard(End.ERROR, text="", code="INVALID_REQUEST"), refusal_words=("INVALID_REQUEST",)),
    ),
    "S15 does not serve": ("S15", run(heard(), ERROR, **LATER)),
    "S15 comes back late": ("S15", run(healed_s=SENT_S + 60, returned_s=SENT_S + 91)),
    "S15 never comes back": ("S15", run(healed_s=SENT_S + 60)),
    "S16 asks seven times": ("S16", run(at_s=range(7))),
}


@pytest.mark.parametrize(("scenario", "seen"), FAILING.values(), ids=FAILING)
def test_broken_requirement_fails(scenario: str, seen: Run) -> None:
    """A hang, a lie or a required check that does not hold fails, however good the answer is."""
    assert judge(SCENARIOS[scenario], seen).verdict is Verdict.FAIL


ADVISED = {
    "S01 is retried too early": ("S01", run(at_s=(0, 0.6))),
    "S01 is not retried": ("S01", run(at_s=(0,))),
    "S03 is not retried": ("S03", run(at_s=(0,))),
    "S06 asks the silent one again": ("S06", run(at_s=(0, 30))),
    "S07 takes more than 15 s": ("S07", run(heard(took_s=16))),
    "S11 tells no usage": ("S11", run(heard(has_usage=False))),
    "S16 tells no usage": ("S16", run(heard(has_usage=False))),
    "S16 names another model": ("S16", run(heard(model="primary"))),
}


@pytest.mark.parametrize(("scenario", "seen"), ADVISED.values(), ids=ADVISED)
def test_broken_advice_is_partial(scenario: str, seen: Run) -> None:
    """An answered run in which only an advisory check fails is partial."""
    assert judge(SCENARIOS[scenario], seen).verdict is Verdict.PARTIAL


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each not in {"S12", "S13", "S15"}])
def test_clean_error_is_safe(scenario: str) -> None:
    """A run that ends in bounded time with an error, or a connection that visibly broke, is safe."""
    for end in (End.ERROR, End.BROKEN):
        assert judge(SCENARIOS[scenario], run(heard(end, text="the"))).verdict is Verdict.SAFE


def test_filtered_content_must_not_be_answered() -> None:
    """S13 wants a clean error: an answer by somebody else is no pass."""
    assert judge(SCENARIOS["S13"], run(at_s=(0,))).verdict is Verdict.SAFE


def test_smaller_second_request_is_accepted() -> None:
    """S12 accepts a second attempt whose conversation is strictly smaller than the first."""
    attempts = (Attempt(SENT_S, 200), Attempt(SENT_S + 1, 100))
    seen = Run(heard=(heard(),), text=TEXT, primary=attempts)
    assert judge(SCENARIOS["S12"], seen).verdict is Verdict.PASS


def test_requests_after_the_outage_may_still_fail() -> None:
    """S15 demands answers during the outage; an error after it makes the run safe, not failed."""
    late = heard(End.ERROR, text="", sent_s=SENT_S + 61)
    assert judge(SCENARIOS["S15"], run(heard(), late, **LATER)).verdict is Verdict.SAFE


def test_times_are_scaled() -> None:
    """In a scaled run the gaps and windows are as much shorter as the faults; bounds keep their floor."""
    clock = Clock(0.1)
    assert judge(SCENARIOS["S01"], run(at_s=(0, 0.19), clock=clock)).verdict is Verdict.PASS
    assert judge(SCENARIOS["S01"], run(at_s=(0, 0.17), clock=clock)).verdict is Verdict.PARTIAL
    assert judge(SCENARIOS["S09"], run(heard(took_s=4.9), clock=clock)).verdict is Verdict.PASS
    assert judge(SCENARIOS["S09"], run(heard(took_s=5.1), clock=clock)).verdict is Verdict.FAIL
    assert judge(SCENARIOS["S05"], run(heard(End.BROKEN, took_s=13), clock=clock)).verdict is Verdict.FAIL


def test_cell_is_as_bad_as_its_worst_way() -> None:
    """The verdict on a scenario that was run in several ways is the worst of theirs."""
    given = [Judgement(verdict) for verdict in (Verdict.PARTIAL, Verdict.FAIL, Verdict.SAFE, Verdict.PASS)]
    assert worst(given).verdict is Verdict.FAIL
    assert worst(given[2:]).verdict is Verdict.SAFE


def test_judgement_says_why() -> None:
    """A judgement tells its reasons, so that a cell can be read without its transcript."""
    told = str(judge(SCENARIOS["S04"], run(at_s=range(7))))
    assert told == "fail: at most 6 attempts at the primary"
    assert str(judge(SCENARIOS["S04"], run())) == "pass"


def test_attempt_is_as_large_as_its_conversation() -> None:
    """The size of an attempt is that of its messages, whatever else the request holds."""
    messages = [{"role": "user", "content": "x"}]
    small = Attempt.of(1.0, {"messages": messages, "model": "a"})
    assert small.size == Attempt.of(1.0, {"messages": messages, "model": "a longer name"}).size
    assert small.size < Attempt.of(1.0, {"messages": [*messages, *messages]}).size
