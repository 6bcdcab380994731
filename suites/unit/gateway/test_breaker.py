import pytest

from gateway.config.resilience import BreakerSettings
from gateway.policy.breaker import Breaker, Trial
from gateway.policy.harms import Harm

INTERVAL_S = 5.0
HOLD_S = 60.0
SETTINGS = BreakerSettings(
    failures=3, failure_rate=0.5, min_requests=10, window_s=60, probe_interval_s=INTERVAL_S
)


def closed() -> Breaker:
    return Breaker(SETTINGS)


def opened(at_s: float = 100.0, settings: BreakerSettings = SETTINGS) -> Breaker:
    breaker = Breaker(settings)
    breaker.note_failure("opens", at_s, 0)
    assert breaker.state == "open"
    return breaker


def half_open(at_s: float = 101.0, settings: BreakerSettings = SETTINGS) -> Breaker:
    breaker = opened(at_s - 1, settings)
    breaker.note_probe(ok=True, now_s=at_s)
    assert breaker.state == "half_open"
    return breaker


def fail(breaker: Breaker, *moments_s: float, harm: Harm = "counts") -> None:
    for now_s in moments_s:
        breaker.note_failure(harm, now_s, 0)


def begin(breaker: Breaker, now_s: float) -> Trial:
    trial = breaker.begin_trial(now_s)
    assert trial
    return trial


def try_once(breaker: Breaker, now_s: float, *, ends_s: float | None = None, ok: bool = False) -> Trial:
    trial = begin(breaker, now_s)
    end_s = now_s if ends_s is None else ends_s
    if ok:
        breaker.note_success(end_s, trial)
    else:
        breaker.note_failure("counts", end_s, end_s - now_s, trial)
    return trial


def test_new_breaker_lets_all_pass() -> None:
    """A target that nothing is known of is asked."""
    breaker = closed()

    assert (breaker.state, breaker.admits(0), breaker.since_s, breaker.probe_due_s) == (
        "closed",
        "freely",
        None,
        None,
    )


def test_grave_failure_opens_at_once() -> None:
    """Nobody waits a second time for a provider that was silent."""
    breaker = opened(100)

    assert (breaker.admits(100), breaker.since_s) == ("no", 100)


def test_failures_in_a_row_open() -> None:
    """Answers that are errors open once there were as many in a row as configured."""
    breaker = closed()

    fail(breaker, 1, 2)
    assert breaker.admits(2) == "freely"
    fail(breaker, 3)
    assert breaker.admits(3) == "no"


def test_success_ends_the_row() -> None:
    """Failures that are not in a row do not open, as long as they are few."""
    breaker = closed()

    for now_s in (0, 10):
        fail(breaker, now_s, now_s + 1)
        breaker.note_success(now_s + 2)
        breaker.note_success(now_s + 3)

    assert breaker.state == "closed"


def test_failures_that_are_long_past_do_not_count() -> None:
    """A row does not go on after a window without failures."""
    breaker = closed()

    fail(breaker, 0, 1, 100)

    assert breaker.state == "closed"


def test_failure_rate_opens() -> None:
    """Half of ten requests may not fail, however they are mixed."""
    breaker = closed()

    for now_s in range(5):
        breaker.note_success(now_s)
        assert breaker.state == "closed"
        fail(breaker, now_s)

    assert breaker.state == "open"


def test_few_requests_make_no_rate() -> None:
    """A rate is no rate below the least number of requests."""
    breaker = closed()

    for now_s in range(4):
        breaker.note_success(now_s)
        fail(breaker, now_s)

    assert breaker.state == "closed"


def test_harmless_failures_leave_no_trace() -> None:
    """A provider that says that it is busy is not ill."""
    breaker = closed()

    fail(breaker, *range(100), harm="none")

    assert breaker.state == "closed"
    assert breaker.is_idle(100)


@pytest.mark.parametrize(("interval_s", "first_s"), [(5.0, 1.0), (0.2, 0.2)])
def test_first_probe_comes_soon(interval_s: float, first_s: float) -> None:
    """A failure of a moment keeps a target away for a moment only."""
    breaker = opened(100, BreakerSettings(probe_interval_s=interval_s))

    assert breaker.probe_due_s == 100 + first_s


def test_bad_probes_are_repeated_at_the_interval() -> None:
    """However long an outage lasts, the next probe is one interval away."""
    breaker = opened(100)

    for now_s in (101.0, 106.5, 1000.0):
        breaker.note_probe(ok=False, now_s=now_s)
        assert (breaker.state, breaker.probe_due_s) == ("open", now_s + INTERVAL_S)


def test_probe_that_was_not_due_counts_for_nothing() -> None:
    """A probe that began before the breaker opened says nothing of what has happened since."""
    breaker = opened(100)

    breaker.note_probe(ok=True, now_s=100.5)
    breaker.note_probe(ok=False, now_s=100.5)

    assert (breaker.state, breaker.probe_due_s) == ("open", 101)


def test_probe_does_not_open_what_serves() -> None:
    """Where requests succeed, a probe that fails does not matter."""
    breaker = closed()

    breaker.note_probe(ok=False, now_s=1)

    assert breaker.state == "closed"


def test_half_open_admits_one_trial() -> None:
    """A provider that comes back is tried by one request; all others keep away."""
    breaker = half_open(101)

    assert breaker.admits(101) == "as_trial"
    begin(breaker, 101)
    assert breaker.admits(101) == "no"
    assert breaker.begin_trial(102) is None


def test_good_trial_closes_and_forgets() -> None:
    """After a good trial everybody is admitted, and the past does not count."""
    breaker = half_open(101)

    try_once(breaker, 102, ends_s=104, ok=True)
    fail(breaker, 105, 106)

    assert (breaker.state, breaker.since_s, breaker.admits(106)) == ("closed", 104, "freely")


def test_fast_failures_of_trials_keep_the_interval() -> None:
    """A trial that fails at once has cost nothing, so the next may come as soon."""
    breaker = half_open(101)
    now_s = 101.0

    for _ in range(5):
        try_once(breaker, now_s, ends_s=now_s + 0.5)
        assert (breaker.state, breaker.probe_due_s) == ("open", now_s + 0.5 + INTERVAL_S)
        now_s += 0.5 + INTERVAL_S
        breaker.note_probe(ok=True, now_s=now_s)


def test_slow_trials_come_ever_less_often() -> None:
    """A provider that lists its models and then hangs does not cost a caller's patience every few seconds."""
    breaker = half_open(101)
    now_s, holds = 101.0, []

    for _ in range(6):
        try_once(breaker, now_s, ends_s=now_s + 30)
        due_s = breaker.probe_due_s
        assert due_s is not None
        holds.append(due_s - now_s - 30)
        now_s = due_s
        breaker.note_probe(ok=True, now_s=now_s)

    assert holds == [10, 20, 40, HOLD_S, HOLD_S, HOLD_S]


def test_fast_failure_ends_the_hold() -> None:
    """Once trials fail at once, they come at the interval again, and the next slow one begins with a short hold."""
    breaker = half_open(101)

    try_once(breaker, 101, ends_s=131)
    breaker.note_probe(ok=True, now_s=141)
    try_once(breaker, 141)
    assert breaker.probe_due_s == 146

    breaker.note_probe(ok=True, now_s=146)
    try_once(breaker, 146, ends_s=176)
    assert breaker.probe_due_s == 186


def test_recovery_forgets_the_hold() -> None:
    """After a recovery the next outage begins with short pauses."""
    breaker = half_open(101)
    try_once(breaker, 101, ends_s=131)
    breaker.note_probe(ok=True, now_s=141)
    try_once(breaker, 141, ok=True)

    fail(breaker, 200, harm="opens")
    breaker.note_probe(ok=True, now_s=201)
    try_once(breaker, 201, ends_s=231)

    assert breaker.probe_due_s == 241


def test_hold_is_never_shorter_than_the_interval() -> None:
    """A longest hold below the interval does not hasten the probes."""
    breaker = half_open(101, BreakerSettings(probe_interval_s=5, max_hold_s=1))

    try_once(breaker, 101, ends_s=131)

    assert breaker.probe_due_s == 136


def test_late_failures_do_not_prolong() -> None:
    """Two hundred requests that were on their way when it opened neither push the probe away nor open again."""
    breaker = opened(100)
    for late in range(200):
        breaker.note_failure("opens", 100 + late / 1000, 30)
    assert breaker.probe_due_s == 101

    breaker.note_probe(ok=True, now_s=101)
    breaker.note_failure("opens", 102, 30)
    assert breaker.admits(102) == "as_trial"

    try_once(breaker, 103, ok=True)
    breaker.note_failure("opens", 104, 30)
    assert breaker.admits(104) == "freely"


def test_late_success_does_not_close() -> None:
    """A request that was begun before the outage says nothing of what has become of the provider."""
    breaker = opened(100)

    breaker.note_success(100.5)

    assert breaker.state == "open"


def test_late_result_is_not_the_trials() -> None:
    """While a trial is on its way, results of other requests do not end it."""
    breaker = half_open(101)
    begin(breaker, 101)

    breaker.note_success(102)
    breaker.note_failure("counts", 102, 3)
    breaker.note_failure("counts", 102, 0.5)
    breaker.abandon_trial(None)

    assert (breaker.state, breaker.admits(102)) == ("half_open", "no")


def test_stream_that_breaks_after_its_trial_counts() -> None:
    """What closed the breaker by its first words may still fail, and that is no old story."""
    breaker = half_open(101)
    trial = try_once(breaker, 102, ends_s=103, ok=True)

    breaker.note_failure("opens", 110, 8, trial)

    assert breaker.state == "open"


@pytest.mark.parametrize("harm", [None, "none"], ids=["caller left", "request at fault"])
def test_trial_that_says_nothing_is_given_back(harm: Harm | None) -> None:
    """A trial whose caller leaves, or whose request is at fault, leaves its place to the next."""
    breaker = half_open(101)
    trial = begin(breaker, 102)

    if harm:
        breaker.note_failure(harm, 103, 1, trial)
    else:
        breaker.abandon_trial(trial)

    assert (breaker.state, breaker.admits(103)) == ("half_open", "as_trial")


def test_lost_trial_is_given_back() -> None:
    """A trial that is never heard of again does not keep the target away for ever."""
    breaker = half_open(101)
    begin(breaker, 101)

    assert breaker.admits(220.9) == "no"
    assert breaker.admits(221) == "as_trial"


def test_very_slow_trial_closes_too() -> None:
    """A good answer is good, even where another trial has begun meanwhile."""
    breaker = half_open(101)
    slow = begin(breaker, 101)
    begin(breaker, 221)

    breaker.note_success(230, slow)

    assert breaker.state == "closed"


def test_old_trial_does_not_end_the_new_one() -> None:
    """Each trial ends with its own result only."""
    breaker = half_open(101)
    slow = begin(breaker, 101)
    begin(breaker, 221)

    breaker.abandon_trial(slow)

    assert breaker.admits(222) == "no"


def test_trial_of_an_earlier_time_counts_no_more() -> None:
    """What was tried before the breaker opened again is a late result like any other."""
    breaker = half_open(101)
    slow = begin(breaker, 101)
    try_once(breaker, 221)

    breaker.note_success(222, slow)

    assert breaker.state == "open"


def test_last_resort_closes() -> None:
    """Where nobody else is left, an open target is asked, and its good answer counts."""
    breaker = opened(100)

    try_once(breaker, 100, ok=True)

    assert breaker.state == "closed"


def test_last_resort_is_one_at_a_time() -> None:
    """An open target is not trampled, and requests that fail there do not push its probe away."""
    breaker = opened(100)

    trial = begin(breaker, 100.1)
    assert breaker.begin_trial(100.2) is None
    breaker.note_failure("opens", 100.3, 0.2, trial)

    assert breaker.trial_is_free(100.3)
    assert (breaker.state, breaker.since_s, breaker.probe_due_s) == ("open", 100, 101)


def test_bad_probe_ends_the_chance() -> None:
    """A half-open target whose probe fails is left alone again, but a trial on its way may still prove it well."""
    breaker = half_open(101)
    trial = begin(breaker, 102)

    breaker.note_probe(ok=False, now_s=103)
    assert (breaker.state, breaker.probe_due_s) == ("open", 103 + INTERVAL_S)

    breaker.note_success(104, trial)
    assert breaker.state == "closed"


def test_longest_rest_holds() -> None:
    """A later and shorter rest does not shorten an earlier and longer one."""
    breaker = closed()

    breaker.rest_until(60)
    breaker.rest_until(5)

    assert breaker.resting(59.9)
    assert not breaker.resting(60)


def test_rest_of_nothing_is_none() -> None:
    """Who asks to wait for 0 seconds is asked again at once."""
    breaker = closed()

    breaker.rest_until(10)

    assert not breaker.resting(10)


def test_rest_does_not_hurt() -> None:
    """Whoever rests is not ill."""
    breaker = closed()

    breaker.rest_until(60)

    assert (breaker.state, breaker.admits(1)) == ("closed", "freely")


def test_operator_ends_rest_and_hold() -> None:
    """A target that an operator asks for is tried at once."""
    breaker = opened(100)
    breaker.rest_until(1000)

    breaker.lift(100.1)

    assert (breaker.admits(100.1), breaker.resting(100.1)) == ("as_trial", False)


def test_operator_changes_nothing_for_the_healthy() -> None:
    """Where nothing was open, nothing becomes half-open."""
    breaker = closed()

    breaker.lift(1)

    assert (breaker.state, breaker.since_s) == ("closed", None)


def test_callers_are_told_when_to_come_again() -> None:
    """The time to ask again is now, after the rest, after the next probe, or once the trial may be over."""
    resting, untried, tried = closed(), half_open(101), half_open(101)
    resting.rest_until(60)
    tried.begin_trial(101)

    assert closed().retry_at_s(10) == 10
    assert resting.retry_at_s(10) == 60
    assert resting.retry_at_s(70) == 70
    assert opened(100).retry_at_s(100) == 101
    assert opened(100).retry_at_s(103) == 103
    assert untried.retry_at_s(101) == 101
    assert tried.retry_at_s(101) == 102


def test_idle_breaker_can_be_forgotten() -> None:
    """A breaker that knows nothing more than a new one is idle, and no other."""
    fresh, failed, served, rested = closed(), closed(), closed(), closed()
    fail(failed, 10)
    served.note_success(10)
    rested.rest_until(20)

    assert fresh.is_idle(10)
    assert served.is_idle(10)
    assert not any(breaker.is_idle(10) for breaker in (failed, rested, opened(), half_open()))
    assert failed.is_idle(70)
    assert rested.is_idle(20)


def test_recovered_breaker_is_kept_for_late_failures() -> None:
    """It is not forgotten while requests from the time of the outage may still fail."""
    breaker = opened(100)
    try_once(breaker, 101, ok=True)

    assert not breaker.is_idle(219)
    assert breaker.is_idle(220)
