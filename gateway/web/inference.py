from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway.engine.calls import Served
from gateway.engine.pipeline import Pipeline
from gateway.faces import CHAT_FACES, EMBEDDINGS_FACE, ChatFace, Face
from gateway.web.callers import read_body, while_connected
from gateway.web.event_stream import EventStream
from gateway.web.identity import credentials_of, request_id_of
from gateway.web.json_response import JsonResponse
from gateway.web.problems import Problems
from gateway.web.provenance import provenance_headers
from gateway.web.shortcut import Endpoint

# What proxies log for a caller that has left; it is never seen on the wire.
_CALLER_LEFT = 499


@dataclass(frozen=True, slots=True)
class Inference:
    """The routes that ask a model: conversations in the form of each face, and embeddings."""

    pipeline: Pipeline
    problems: Problems

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """What answers at each address, by its path."""
        chats: dict[str, Endpoint] = {face.path: partial(self.chat, face) for face in CHAT_FACES}
        return {**chats, EMBEDDINGS_FACE.path: self.embed}

    async def chat(self, face: ChatFace, request: Request) -> Response:
        self.pipeline.admit(credentials_of(request))
        try:
            asked = face.parse(await read_body(request), request.headers)
            if asked.stream:
                encoder = face.stream_encoder(asked)
                begun = await while_connected(
                    request.receive, self.pipeline.stream(asked, request_id_of(request))
                )
                headers = self._headers(face, begun, request)
                return EventStream(begun.result, encoder, self.problems, request_id_of(request), headers)
            served = await while_connected(
                request.receive, self.pipeline.answer(asked, request_id_of(request))
            )
        except ClientDisconnect:
            return Response(status_code=_CALLER_LEFT)
        return JsonResponse(
            face.encode_answer(served.result, asked), headers=self._headers(face, served, request)
        )

    async def embed(self, request: Request) -> Response:
        self.pipeline.admit(credentials_of(request))
        face = EMBEDDINGS_FACE
        try:
            asked = face.parse(await read_body(request))
            served = await while_connected(
                request.receive, self.pipeline.embed(asked, request_id_of(request))
            )
        except ClientDisconnect:
            return Response(status_code=_CALLER_LEFT)
        body = face.encode_answer(served.result, asked, served.candidate.model.name)
        return JsonResponse(body, headers=self._headers(face, served, request))

    def _headers(self, face: Face, served: Served[Any], request: Request) -> dict[str, str]:
        told = provenance_headers(served, face, self.pipeline.clock.now())
        return {**told, face.request_id_header: request_id_of(request)}
