import time

from suites.chaos.pacing import ask_for, ask_until, wait_for_moment


def test_moment_is_waited_for() -> None:
    """Nobody is let go before their moment."""
    at_s = time.monotonic() + 0.05
    wait_for_moment(at_s)
    assert time.monotonic() >= at_s


def test_moment_that_is_over_costs_nothing() -> None:
    """Who is late goes on at once, so that lateness does not add up."""
    wait_for_moment(time.monotonic() - 60)


def test_asks_until_the_answer_is_wanted() -> None:
    """The answer that was wanted is returned, and nothing is asked after it."""
    answers = iter([1, 2, 3])
    met = ask_until(lambda: next(answers), lambda answer: answer == 2, time.monotonic() + 60, pause_s=0)
    assert (met, list(answers)) == ((2, True), [3])


def test_asks_once_more_when_time_is_up() -> None:
    """Where no answer was wanted in time the last one is returned, for whoever has to say what came instead."""
    answers = iter(range(1, 10_000))
    latest_s = time.monotonic() + 0.03
    last, is_wanted = ask_until(lambda: next(answers), lambda _answer: False, latest_s, pause_s=0.01)
    assert not is_wanted
    assert last > 1
    assert time.monotonic() >= latest_s


def test_answer_at_the_last_moment_counts() -> None:
    """A wanted answer is never thrown away for having come late: how long it took is for the caller to judge."""
    assert ask_until(lambda: "late", lambda _answer: True, latest_s=0.0) == ("late", True)


def test_asking_goes_on_for_its_time() -> None:
    """Answers are gathered in their order until the time is over, and one comes in any case."""
    answers = iter(range(1000))
    began_s = time.monotonic()
    told = ask_for(lambda: next(answers), 0.3, pause_s=0.03)
    assert time.monotonic() - began_s >= 0.3
    assert told == list(range(len(told)))
    assert 1 < len(told) <= 11
    assert ask_for(lambda: "once", 0.0) == ["once"]
