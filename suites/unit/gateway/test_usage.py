from typing import Any

import pytest

from gateway.schema.usage import Usage


def test_usage_is_read_and_written() -> None:
    """The total is the sum of prompt and completion."""
    usage = Usage.from_openai({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "x": {}})

    assert usage == Usage(3, 4)
    assert usage.to_openai() == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


@pytest.mark.parametrize(
    "reported", [None, "many", {}, {"prompt_tokens": "3"}, {"prompt_tokens": 3, "completion_tokens": None}]
)
def test_malformed_usage_counts_as_none(reported: Any) -> None:
    """What is not a proper report of usage is not guessed at."""
    assert Usage.from_openai(reported) is None
