"""The caller of one case of the matrix: it asks, judges nothing, and writes down what it heard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fixtures.client import GatewayClient
from fixtures.faults import Link
from fixtures.history import HistoryRecorder, from_journal, marked_in, request_id, request_mark
from fixtures.simulators.journal import Call
from fixtures.stage import Connection
from suites.chaos.fault_ground import Site, caller_through
from suites.chaos.fault_judging import Met
from suites.chaos.hearing import CHAT, FACES, End, Face, Heard
from suites.chaos.journals import place_of
from suites.chaos.lanes import QUESTION

_WHAT = {End.ANSWER: "ok", End.CUT: "ok", End.ERROR: "fail", End.BROKEN: "info"}
"""What a client tells a history; to many a clean end without a finish is a success, so that is how it stands there."""

_OK = 200


@dataclass(slots=True)
class Asker:
    """Asks for the model of a site; `door` is the link before the gateway, where the caller's own way is struck."""

    site: Site
    gateway: Connection
    recorder: HistoryRecorder
    door: Link | None = None
    asked: int = 0

    def ask(self) -> Met:
        """Ask once, as the case wants it."""
        self.asked += 1
        mark, stream = request_id(self.asked), self.site.case.stream
        self.recorder.record("client", "invoke", mark, stream=stream)
        question = _question(self.asked)
        heard = self._through_the_door(
            lambda client: self._face.ask(client, self.site.track.name, question, stream=stream)
        )
        self._write_down(mark, heard)
        return Met(heard, self.site.texts(question), self.site.case.row.places)

    def has_heard(self, word: str) -> bool:
        """Whether the answer that is under way has come as far as this word."""
        calls = self.gateway.notes.transcript.calls[-1:]
        return any(word in line for call in calls for line in tuple(call.response_lines))

    def collect(self) -> None:
        """Join what the providers saw to the history."""
        self.recorder.extend(from_journal(self.site.track.world.journal.kept(), self._told))

    def _told(self, call: Call) -> Mapping[str, str]:
        """Return what a provider says in whole to a request that it accepts."""
        marked = marked_in(str(call.body))
        if call.kind_of_call != "chat" or marked is None or call.status != _OK:
            return {}
        question = _question(int(marked.removeprefix("r-")))
        return {"text": self.site.texts(question)[place_of(call) - 1]}

    def _through_the_door(self, ask: Callable[[GatewayClient], Heard]) -> Heard:
        if self.door is None:
            return ask(self.gateway.user)
        with caller_through(self.door, self.gateway) as client:
            return ask(client)

    @property
    def _face(self) -> Face:
        return next((face for face in FACES if face.name == self.site.case.form), CHAT)

    def _write_down(self, mark: str, heard: Heard) -> None:
        self.recorder.record(
            "client",
            _WHAT[heard.end],
            mark,
            status=heard.status,
            text=heard.text,
            finish_reason="told" if heard.end is End.ANSWER else None,
            provider=heard.provider,
            error_code=heard.code,
            request_id=heard.request_id,
        )


def _question(number: int) -> str:
    return f"{QUESTION} {request_mark(number)}"
