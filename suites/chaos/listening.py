"""One stream heard word for word: what each of its events adds, and how it ended."""

from dataclasses import dataclass
from typing import Any

from fixtures.client import StreamedAnswer
from fixtures.simulators.text import Reply
from fixtures.traffic.face import Said, hear_error
from suites.chaos.cut_ears import EARS, Words, body_of
from suites.chaos.lanes import QUESTION, Lane

OK = 200


@dataclass(frozen=True, slots=True)
class Listened:
    """A stream, its words, and what it says of its own end."""

    answer: StreamedAnswer
    words: Words
    said: Said

    @property
    def is_whole(self) -> bool:
        """Whether it has ended as an answer does, by its terminal event and with a finish reason."""
        ended = self.said.ended and not self.said.refused and self.answer.broken is None
        return ended and self.answer.status == OK and bool(self.said.finish_reason)

    @property
    def code(self) -> str | None:
        """The code of the error that ends it, None where there is none."""
        return self.said.error_code if self.said.refused else None

    @property
    def usages(self) -> list[dict[str, Any]]:
        """Every telling of the counts of a chat completion."""
        return [
            chunk["usage"] for chunk in self.answer.chunks if isinstance(chunk, dict) and chunk.get("usage")
        ]

    def says(self, reply: Reply) -> bool:
        """Whether it is whole and says this reply, letter by letter, and nothing else."""
        said = (self.words.text, self.words.thinking, self.words.tools)
        tools = tuple((tool.name, tool.arguments) for tool in reply.tools)
        return self.is_whole and said == (reply.text, reply.thinking, tools)

    def begins(self, reply: Reply) -> bool:
        """Whether nothing was delivered but the beginning of this reply."""
        return (
            reply.text.startswith(self.words.text)
            and reply.thinking.startswith(self.words.thinking)
            and all(
                tool.name == name and tool.arguments.startswith(arguments)
                for tool, (name, arguments) in zip(reply.tools, self.words.tools, strict=False)
            )
        )

    def __str__(self) -> str:
        end = "whole" if self.is_whole else self.code or self.answer.broken or "without an end"
        return f"{end}: {self.words.thinking!r} {self.words.text!r} {self.words.tools!r}"


def listen(lane: Lane, face: str = "chat", question: str = QUESTION, **more: Any) -> Listened:
    """Ask a lane for a stream and listen to its end, however it ends."""
    ear, said = EARS[face](), Said()
    body = {**body_of(face, lane.model, question, stream=True), **more}
    answer = lane.gateway.user.stream_post(ear.path, body)
    for event in answer.events:
        if not said.decided:
            ear.hear_event(said, event.data.encode())
    if answer.body is not None:
        hear_error(said, answer.body)
    return Listened(answer, ear.words, said)
