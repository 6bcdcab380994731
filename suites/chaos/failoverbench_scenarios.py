"""FailoverBench's sixteen scenarios: what each is called, and the checks that its verdict rests on."""

from collections.abc import Mapping

from suites.chaos.failoverbench import Check, Run, Scenario
from suites.chaos.hearing import End


def _is_tried_once(run: Run) -> bool:
    return len(run.primary) == 1


def _is_tried_once_or_smaller(run: Run) -> bool:
    match run.primary:
        case [_]:
            return True
        case [first, second]:
            return second.size < first.size
        case _:
            return False


def _is_retried_in_time(run: Run) -> bool:
    gaps_s = run.gaps_s()
    return bool(gaps_s) and gaps_s[0] >= run.clock.lasts_s(1.8)


def _is_served_during_outage(run: Run) -> bool:
    healed_s = run.healed_s
    return healed_s is not None and all(
        heard.is_answer(run.text) for heard in run.heard if heard.sent_s < healed_s
    )


def _is_back(run: Run) -> bool:
    if run.healed_s is None or run.returned_s is None:
        return False
    return run.returned_s - run.healed_s <= run.clock.bound_s(30)


def _hides_the_refusal(run: Run) -> bool:
    told = [f"{heard.code} {heard.told_error}" for heard in run.heard if heard.end is End.ERROR]
    return not any(word in text for word in run.refusal_words for text in told)


def _has_usage(run: Run) -> bool:
    return all(heard.has_usage for heard in run.heard)


def _at_most(count: int) -> Check:
    return Check(f"at most {count} attempts at the primary", lambda run: len(run.primary) <= count)


def _over_within(full_s: float) -> Check:
    return Check(f"over within {full_s:g} s", lambda run: run.took_s <= run.clock.bound_s(full_s))


_USAGE = Check("the usage is told", _has_usage, advisory=True)
_ONCE = Check("one attempt at the primary", _is_tried_once)

SCENARIOS: Mapping[str, Scenario] = {
    scenario.id: scenario
    for scenario in (
        Scenario(
            "S01",
            "429 with Retry-After 2, once",
            (
                Check("at most 2 attempts within 1.5 s", lambda run: run.within(1.5, run.primary) <= 2),
                Check("a second try not before 1.8 s", _is_retried_in_time, advisory=True),
            ),
        ),
        Scenario(
            "S02",
            "429 for ever, no header",
            (
                Check("at most 4 attempts within 3 s", lambda run: run.within(3, run.primary) <= 4),
                _at_most(6),
            ),
        ),
        Scenario(
            "S03",
            "500 once",
            (Check("a second try at the primary", lambda run: len(run.primary) > 1, advisory=True),),
        ),
        Scenario("S04", "503 for ever", (_at_most(6),)),
        Scenario("S05", "reset before the head"),
        Scenario(
            "S06",
            "silent for 120 s",
            (
                _over_within(100),
                Check("the silent primary is asked once only", _is_tried_once, advisory=True),
            ),
        ),
        Scenario(
            "S07",
            "first token after 20 s",
            # No floor here: it is the fault itself that lasts longer.
            (Check("answered within 15 s", lambda run: run.took_s <= run.clock.lasts_s(15), advisory=True),),
        ),
        Scenario("S08", "cut after 40 of 60 tokens"),
        Scenario("S09", "stalled for 30 s after 20 tokens", (_over_within(45),)),
        Scenario(
            "S10",
            "a malformed event",
            (Check("complete in spite of it", lambda run: run.answered, advisory=True),),
        ),
        Scenario("S11", "no [DONE]", (_over_within(8), _USAGE)),
        Scenario(
            "S12",
            "400, the context is too long",
            (Check("one attempt at the primary, or a smaller second one", _is_tried_once_or_smaller),),
        ),
        Scenario("S13", "400, the content is filtered", (_ONCE,), wants_error=True),
        Scenario(
            "S14",
            "cut, and the fallback refuses a prefill",
            (Check("the refused prefill is not the caller's error", _hides_the_refusal),),
        ),
        Scenario(
            "S15",
            "an outage of 60 s, a request every 4 s",
            (
                Check("served during the outage", _is_served_during_outage),
                Check("back on the primary within 30 s", _is_back),
            ),
        ),
        Scenario(
            "S16",
            "accounting after a failover",
            (
                _at_most(6),
                _USAGE,
                Check(
                    "the model that answered is told",
                    lambda run: all(heard.model == run.fallback_model for heard in run.heard),
                    advisory=True,
                ),
            ),
        ),
    )
}
