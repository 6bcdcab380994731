from pathlib import Path

import pytest

from gateway.config.document import ChainEntry, ChainForm, Document
from gateway.config.findings import check_chains, is_loopback
from gateway.config.loading import load_configuration
from gateway.config.vendors import load_vendors

SERVED = "models: {m: {provider: openai}}"


def findings(tmp_path: Path, text: str, **environ: str) -> list[tuple[str, str, int, str]]:
    file = tmp_path / "g.yaml"
    file.write_text(text, encoding="utf-8")
    found = load_configuration(file, environ, load_vendors()).findings
    return [(finding.severity, finding.code, finding.line, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("chains", "code", "path"),
    [
        ({"a": ["b"], "b": ["c"], "c": ["a"]}, "circular_chain", "a -> b -> c -> a"),
        ({"z": ["a"], "a": ["x", "b"], "b": ["a"]}, "circular_chain", "a -> b -> a"),
        ({"a": ["a"]}, "chain_to_itself", "'a'"),
    ],
    ids=["round", "further down", "to itself"],
)
def test_circle_is_reported_once(chains: dict[str, ChainForm], code: str, path: str) -> None:
    """A chain that leads back is reported once, with the whole way."""
    [remark] = check_chains(Document(chains=chains))

    assert remark.code == code
    assert path in remark.message


def test_circle_of_long_chains_is_found() -> None:
    """A chain in its long form is looked at as well, and the finding leads to the fallback at fault."""
    long: dict[str, ChainForm] = {"a": ChainEntry(fallbacks=["b"]), "b": ["a"]}
    [remark] = check_chains(Document(chains=long))

    assert remark.path == ("chains", "a", "fallbacks", 0)


def test_unknown_provider_in_the_order_is_an_error(tmp_path: Path) -> None:
    """The order of fallbacks names configured providers only."""
    text = f"providers:\n  openai: {{}}\n{SERVED}\nresilience: {{fallback_order: [openai, groq]}}"

    told = findings(tmp_path, text, OPENAI_API_KEY="sk-example-not-a-key")

    assert [(severity, code) for severity, code, _line, _message in told] == [("error", "unknown_provider")]


def test_shared_fallback_is_no_circle() -> None:
    """Two ways to the same fallback are allowed."""
    assert not list(check_chains(Document(chains={"a": ["b", "c"], "b": ["d"], "c": ["d"]})))


def test_missing_key_is_a_warning_that_names_the_variable(tmp_path: Path) -> None:
    """An enabled provider without its key is a warning; it names the provider and the variable."""
    [(severity, code, line, message)] = findings(
        tmp_path, f"providers:\n  openai: {{}}\n{SERVED}", OPENAI_API_KEY=""
    )

    assert (severity, code, line) == ("warning", "missing_variable", 2)
    assert "'openai'" in message
    assert "OPENAI_API_KEY" in message


def test_own_variable_for_the_key_is_respected(tmp_path: Path) -> None:
    """The variable that the file names takes the place of the vendor's."""
    text = f"providers:\n  openai:\n    api_key_env: MY_KEY\n{SERVED}"

    [(_, code, line, message)] = findings(tmp_path, text, OPENAI_API_KEY="sk-example-not-a-key")

    assert (code, line) == ("missing_variable", 3)
    assert "MY_KEY" in message
    assert not findings(tmp_path, text, MY_KEY="sk-example-not-a-key")


def test_missing_address_names_the_variable(tmp_path: Path) -> None:
    """A provider that could be anywhere needs an address; the variable's name is in the message."""
    text = "providers: {vllm: {}}\nmodels: {m: {provider: vllm}}"

    [(severity, code, _, message)] = findings(tmp_path, text)

    assert (severity, code) == ("warning", "missing_variable")
    assert "VLLM_ENDPOINT" in message


def test_disabled_provider_needs_nothing(tmp_path: Path) -> None:
    """What is missing for a disabled provider is no error; that its models are not offered is remarked."""
    text = f"providers:\n  openai: {{enabled: false}}\n  vllm: {{enabled: false}}\n{SERVED}"

    assert [finding[:3] for finding in findings(tmp_path, text)] == [
        ("warning", "no_models", 3),
        ("warning", "disabled_provider", 4),
    ]


@pytest.mark.parametrize(
    "url", ["ftp://h/v1", "h:80", "http://", "http://h:0/", "http://h:x/", "http://h/?a=b", "https://[::1/v1"]
)
def test_improper_address_is_an_error(tmp_path: Path, url: str) -> None:
    """An address must be http or https, with a host, and without a query."""
    text = f"providers:\n  openai:\n    base_url: {url!r}\n{SERVED}"

    [(severity, code, line, _)] = findings(tmp_path, text, OPENAI_API_KEY="sk-example-not-a-key")

    assert (severity, code, line) == ("error", "invalid_url", 3)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://10.0.0.1/v1", ["plain_http"]), ("https://10.0.0.1/v1", []), ("http://localhost:8000/v1", [])],
)
def test_plain_http_to_another_machine_is_a_warning(tmp_path: Path, url: str, expected: list[str]) -> None:
    """Keys that would cross the network in clear text are remarked upon."""
    text = f"providers:\n  openai:\n    base_url: {url}\n{SERVED}"

    found = findings(tmp_path, text, OPENAI_API_KEY="sk-example-not-a-key")

    assert [code for _, code, _, _ in found] == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "a.localhost"])
def test_loopback_is_recognised(host: str) -> None:
    """Every name and address of this machine alone is recognised."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["1.2.3.4", "::", "192.168.0.1", "localhost.example.com", ""])
def test_other_hosts_are_not_loopback(host: str) -> None:
    """Addresses that other machines can reach are not taken for loopback."""
    assert not is_loopback(host)
