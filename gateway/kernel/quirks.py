from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Prefill = Literal["", "plain", "vllm"]
"""How a vendor is asked to go on with an answer that has begun, which is the last message of the request.

`plain`: that message is enough. `vllm`: the request says that it is meant. Empty: it begins another answer instead.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How a vendor differs from others that speak the same dialect.

    `request_limit_s` and `token_limit_s`: the periods of its limits of requests and tokens. `lacks`: the fields of a
    request that it refuses. `renames`: the fields that it has under another name. `stream_usage`: whether it must be
    asked for the usage of a stream. `prefill`: how it is asked to go on with an answer.
    """

    request_limit_s: int = 60
    token_limit_s: int = 60
    lacks: frozenset[str] = frozenset()
    renames: Mapping[str, str] = field(default_factory=dict)
    stream_usage: bool = True
    prefill: Prefill = ""
