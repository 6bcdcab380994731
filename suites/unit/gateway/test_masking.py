import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kernel.masking import Scrubber, mask, scrub

PIECES = (
    *(
        "sk-",
        "gsk_",
        "hf_",
        "AIza",
        "AKIA",
        "\u017fk-",
        "\u212a",
        "bearer ",
        "token",
        "=",
        ":",
        "//",
        "@",
        "a.b/",
    ),
    *("abcdefghijklmnop", "ABCDEFGHIJKLMNOP0123456789", "Z", "-", "_", " ", "\n"),
)
SECRETS = {
    "OpenAI key": ("key sk-proj-abcdefghijkl0123 was wrong", "abcdefghijkl"),
    "Groq key": ("gsk_abcdefghijkl0123", "abcdefghijkl"),
    "Hugging Face token": ("hf_abcdefghijkl0123", "abcdefghijkl"),
    "Google key": ("AIzaSyA-abcdefghijkl-0123456789", "abcdefghijkl"),
    "AWS key": ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    "bearer token": ("Authorization: Bearer abcdefgh.ijkl", "abcdefgh"),
    "assignment": ("api_key=abcdefgh", "abcdefgh"),
    "JSON": ('{"password": "abcdefgh"}', "abcdefgh"),
    "URL": ("redis://admin:abcdefgh@db:6379/0", "abcdefgh"),
}


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_secret_is_removed(text: str, secret: str) -> None:
    """Whatever looks like a key, a password or the credentials of a URL is taken out of a text."""
    assert secret not in scrub(text)
    assert "[REDACTED]" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 100000",
        "the variable OPENAI_API_KEY is not set",
        "http://127.0.0.1:8001/v1",
        "sk-short",
        "api_key_env: OPENAI_API_KEY",
        "a risk-averse-and-long-hyphenated-word",
    ],
)
def test_plain_text_stays(text: str) -> None:
    """Names of variables, numbers and addresses are no secrets."""
    assert scrub(text) == text


def test_scrubbing_twice_changes_nothing() -> None:
    """A text that is free of secrets stays as it is."""
    once = scrub("Bearer abcdefghijkl and password=abcdefghijkl")

    assert scrub(once) == once


def test_mask_tells_keys_apart_without_giving_them_away() -> None:
    """Of a long secret both ends are shown, of a short one nothing."""
    assert mask("sk-example-not-a-key") == "sk-e...-key"
    assert mask("hunter2") == "***"


def test_known_secret_is_removed_wherever_it_stands() -> None:
    """A configured secret is removed whatever it looks like, in nested records and within words."""
    scrubber = Scrubber(["plainword", ""])

    record = {"event": "xplainwordx", "deep": [{"a": ("plainword", 1)}], "n": None}
    scrubber.clean(record)

    assert record == {"event": "x[REDACTED]x", "deep": [{"a": ["[REDACTED]", 1]}], "n": None}


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_nothing_is_passed_by(text: str) -> None:
    """That most words are harmless at a glance never lets one through that is not."""
    assert Scrubber().text(text) == scrub(text)


def test_longer_secret_goes_first() -> None:
    """A secret that contains another leaves no rest behind."""
    assert Scrubber(["abc", "abcdef"]).text("abcdef") == "[REDACTED]"
