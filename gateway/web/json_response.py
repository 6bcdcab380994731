from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response


class JsonResponse(Response):
    """A JSON body, written by orjson; the names of `headers` are in lower case."""

    media_type = "application/json"

    def __init__(self, content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        # Starlette looks through the headers for what may be in them already, which takes 3 us.
        self.status_code = status
        self.background = None
        self.body = orjson.dumps(content)
        self.raw_headers = [
            *encoded(headers or {}),
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Writes headers as the server wants them; their names are in lower case."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
