from gateway.policy.tally import Tally


def test_counts_what_was_tried_and_what_failed() -> None:
    """Requests and failures are counted apart."""
    tally = Tally(10)

    tally.note(failed=True, now_s=1)
    tally.note(failed=False, now_s=2)

    assert tally.counts(2) == (2, 1)


def test_forgets_what_is_older_than_the_window() -> None:
    """The window slides, in tenths."""
    tally = Tally(10)

    for now_s in range(25):
        tally.note(failed=now_s % 2 == 0, now_s=now_s)

    assert tally.counts(24) == (10, 5)
    assert tally.counts(29) == (5, 3)
    assert tally.counts(40) == (0, 0)


def test_forgets_all_at_once() -> None:
    """What has recovered begins anew."""
    tally = Tally(10)
    tally.note(failed=True, now_s=1)

    tally.clear()

    assert tally.counts(1) == (0, 0)
