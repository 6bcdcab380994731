"""What is wrong with a request itself; its sender alone can mend it, and is told the particulars."""

from functools import partial

from gateway.kernel.codes import Reason, ReasonCode

_fault = partial(Reason, severity="info", openai_type="invalid_request_error", detail_is_public=True)

CALLER_REASONS = {
    ReasonCode.CONTEXT_LENGTH_EXCEEDED: _fault(
        400,
        "The conversation is too long for this model.",
        "Prompt and requested output exceed the context window of the upstream model.",
        "Shorten the messages, or choose a model with a larger context.",
        moves_on=True,
    ),
    ReasonCode.CONTENT_FILTERED: _fault(
        400,
        "The request was declined by the provider's content policy.",
        "The provider's content filter refused the prompt.",
        "Rephrase the request.",
    ),
    ReasonCode.UNSUPPORTED_PARAMETER: _fault(
        400,
        "This model cannot do what the request asks for.",
        "A parameter of the request has no counterpart in the provider's interface.",
        "Leave the parameter out, or choose another model.",
        moves_on=True,
    ),
    ReasonCode.UNSUPPORTED_OPERATION: _fault(
        400,
        "This model cannot be used for this kind of request.",
        "The provider's interface has no operation of this kind.",
        "Choose a model that can, out of those that GET /v1/models lists.",
        moves_on=True,
    ),
    ReasonCode.INVALID_REQUEST: _fault(
        400,
        "The request is not valid.",
        "The request does not follow the schema of its route, or the provider refused it as malformed.",
        "Correct the field that the message names.",
    ),
    ReasonCode.MODEL_NOT_FOUND: _fault(
        404,
        "This model does not exist.",
        "No model of this name is configured at an enabled provider.",
        "Choose one of the models that GET /v1/models lists.",
    ),
    ReasonCode.UNSUPPORTED_PROVIDER: _fault(
        404,
        "This provider does not exist.",
        "No provider of this name is configured.",
        "Choose one of the providers that GET /api/v1/providers lists.",
    ),
    ReasonCode.NOT_FOUND: _fault(
        404, "There is nothing at this address.", "No route matches the path.", "Check the URL."
    ),
    ReasonCode.METHOD_NOT_ALLOWED: _fault(
        405,
        "This address does not accept that method.",
        "The route exists, but not with this HTTP method.",
        "Use one of the methods that the Allow header names.",
    ),
    ReasonCode.PAYLOAD_TOO_LARGE: _fault(
        413,
        "The request is too large.",
        "The request body exceeds the limit of 10 MB.",
        "Send less than 10 MB.",
    ),
}
