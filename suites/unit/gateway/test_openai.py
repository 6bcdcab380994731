import json
from typing import Any

import pytest

from gateway.dialects.openai import OpenAIDialect
from gateway.kernel.codes import ReasonCode
from gateway.kernel.errors import ProviderError
from gateway.schema.chat import AnswerStamp
from gateway.schema.exchange import Endpoint, UpstreamAnswer
from gateway.schema.usage import Usage
from suites.unit.gateway.wire_texts import completion

DIALECT = OpenAIDialect()
STAMP = AnswerStamp("chatcmpl-ours", "public-name", 5)


def answer(body: Any, status: int = 200) -> UpstreamAnswer:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamAnswer(status=status, headers={}, body=payload)


def test_answer_keeps_everything_but_the_models_name() -> None:
    """A whole answer is passed on as it came, under the model name that the caller knows."""
    upstream = completion(system_fingerprint="fp", extra=[1])

    decoded = DIALECT.decode_chat(answer(upstream), STAMP)

    assert decoded.body == {**upstream, "model": "public-name"}
    assert decoded.usage == Usage(3, 1)


@pytest.mark.parametrize("upstream_id", ["gen-123", None, 5])
def test_answer_without_a_proper_id_gets_ours(upstream_id: object) -> None:
    """Every answer has an id of OpenAI's form, and a time."""
    upstream = completion(id=upstream_id)
    del upstream["created"]

    decoded = DIALECT.decode_chat(answer(upstream), STAMP)

    assert (decoded.body["id"], decoded.body["created"]) == ("chatcmpl-ours", 5)


def test_key_is_sent_only_where_there_is_one() -> None:
    """A provider without a key gets no authorization header."""
    with_key = DIALECT.encode_probe(Endpoint(base_url="http://h/v1", api_key="k"), "/models")
    without = DIALECT.encode_probe(Endpoint(base_url="http://h/v1"), "/models")

    assert (with_key.method, with_key.url) == ("GET", "http://h/v1/models")
    assert with_key.headers == {"authorization": "Bearer k"}
    assert without.headers == {}


@pytest.mark.parametrize(
    "body",
    [{"object": "list", "data": [{"id": "a"}, {"id": "b"}, {}, 5]}, [{"id": "a"}, {"id": "b"}]],
    ids=["object", "bare list"],
)
def test_models_are_listed(body: Any) -> None:
    """The list of models is read in OpenAI's form and in Together's."""
    assert DIALECT.read_probe(answer(body)) == {"a", "b"}


@pytest.mark.parametrize("body", [{"models": []}, b"<html>", "text"])
def test_list_of_another_form_is_refused(body: Any) -> None:
    """An answer that holds no list of models is an invalid one."""
    with pytest.raises(ProviderError) as caught:
        DIALECT.read_probe(answer(body))

    assert caught.value.code is ReasonCode.INVALID_RESPONSE


@pytest.mark.parametrize(
    ("body", "detail", "param"),
    [
        ({"error": {"message": "No.", "param": "n", "code": 5}}, "No.", "n"),
        ({"object": "error", "message": "No.", "param": None}, "No.", None),
        ({"error": "No."}, "No.", None),
        ({"detail": "No."}, "No.", None),
        (b"<html>", "The provider answered with status 503.", None),
    ],
    ids=["OpenAI", "flat", "text", "detail", "no JSON"],
)
def test_error_body_is_read_in_every_form(body: Any, detail: str, param: str | None) -> None:
    """The vendors' forms of OpenAI's error object are all read."""
    failure = DIALECT.classify(answer(body, 503))

    assert (failure.reason, failure.status) == (ReasonCode.PROVIDER_DEGRADED, 503)
    assert (failure.detail, failure.param) == (detail, param)
