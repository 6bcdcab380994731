from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from gateway.engine.calls import Served
from gateway.faces import Face

_MOST_DROPPED = 50
_LONGEST_NAME = 100


def provenance_headers(served: Served[Any], face: Face, now: datetime) -> dict[str, str]:
    """Tells who has answered, by the names of the configuration; what was left out; and the provider's limits."""
    headers = {
        "x-gateway-provider": served.candidate.provider.name,
        "x-gateway-model": served.candidate.model.name,
        "x-gateway-attempts": str(served.attempts),
    }
    if served.dropped:
        headers["x-gateway-dropped-params"] = _listed(served.dropped)
    return headers | dict(face.limit_headers(served.limits, now) if served.limits else {})


def _listed(names: Sequence[str]) -> str:
    """Lists names of fields; they are the caller's own words, so they must neither break nor burst a header."""
    return ", ".join(quote(name[:_LONGEST_NAME], safe="[]") for name in names[:_MOST_DROPPED])
