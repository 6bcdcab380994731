"""By which limit the growth of memory is judged."""

import pytest

from suites.load.test_soak import growth_limit_for


@pytest.mark.parametrize(("requests", "limit"), [(99_999, "growth"), (100_000, "growth_over_100000")])
def test_long_soak_has_the_stricter_limit(requests: int, limit: str) -> None:
    """From a hundred thousand requests on the growth is judged by the limit that only so many can tell from nought."""
    assert growth_limit_for(requests) == limit
