from pathlib import Path

import pytest

from gateway.config.loading import Configuration, load_configuration
from gateway.config.vendors import load_vendors

KEYS = {"OPENAI_API_KEY": "sk-example-not-a-key"}

GOOD = """\
providers:
  openai:
    timeouts: {connect_s: 1, total_s: 2.5}
  vllm: {base_url: "http://127.0.0.1:8001/"}
models:
  gpt-4o-mini: {provider: openai}
  small: {provider: vllm, upstream_model: org/small-7b}
chains:
  gpt-4o-mini: [small]
"""

# Text of the file; code and line of the one finding; what its message names.
BAD = {
    "not YAML": ("models: [", "invalid_yaml", 1, "expected"),
    "tab": ("models:\n\ta: 1", "invalid_yaml", 2, ""),
    "control character": ("models: {}\n# \x01", "invalid_yaml", 2, "0001"),
    "impossible date": ("models: {}\nchains: 2026-99-99", "invalid_yaml", 2, "month"),
    "no bottom": ("[" * 5_000, "invalid_yaml", 1, "nested too deeply"),
    "alias to itself": ("models: {}\nchains: &a [*a]", "invalid_yaml", 2, "itself"),
    "list as a key": ("? [a]\n: 1", "invalid_yaml", 1, "plain word"),
    "list": ("- a", "invalid_value", 1, "the file"),
    "unknown section": ("models: {}\nmodelz: {}", "unknown_field", 2, "modelz"),
    "unknown field": ("providers:\n  openai:\n    base: x", "unknown_field", 3, "providers.openai.base"),
    "wrong type": ("providers:\n  openai:\n    enabled: 5", "invalid_value", 3, "providers.openai.enabled"),
    "missing field": ("models:\n  a:\n    upstream_model: b", "invalid_value", 2, "models.a.provider"),
    "zero timeout": (
        "providers:\n  openai:\n    timeouts:\n      idle_s: 0",
        "invalid_value",
        4,
        "providers.openai.timeouts.idle_s",
    ),
    "number as a name": ("models:\n  4: {provider: openai}", "invalid_value", 2, "models.4"),
    "twice": ("providers:\n  openai: {}\n  openai: {}", "duplicate_key", 3, "providers.openai"),
    "written key": ("providers:\n  openai:\n    api_key: abc", "key_in_file", 3, "providers.openai.api_key"),
    "disguised key": (
        "providers:\n  openai:\n    api_key_env: sk-example-not-a-key",
        "key_in_file",
        3,
        "providers.openai.api_key_env",
    ),
    "unknown vendor": ("providers:\n  mine:\n    vendor: yours", "unknown_vendor", 3, "'yours'"),
    "unnamed vendor": ("providers:\n  mine: {}", "unknown_vendor", 2, "'mine'"),
    "model of nobody": ("models:\n  a: {provider: nobody}", "unknown_provider", 2, "'nobody'"),
    "chain of no model": ("models: {}\nchains: {a: []}", "unknown_model", 2, "'a'"),
    "chain to no model": (
        "providers: {ollama: {}}\nmodels: {a: {provider: ollama}}\nchains:\n  a:\n    - b",
        "unknown_model",
        5,
        "'b'",
    ),
}


@pytest.fixture
def load(tmp_path: Path) -> "Loader":
    return Loader(tmp_path / "g.yaml")


class Loader:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, text: str, environ: dict[str, str] | None = None) -> Configuration:
        self.file.write_text(text, encoding="utf-8")
        return load_configuration(self.file, KEYS if environ is None else environ, load_vendors())


def test_good_file_gives_a_registry(load: Loader) -> None:
    """A file without faults becomes a registry; what it leaves out has its default."""
    configuration = load(GOOD)

    assert configuration.findings == ()
    assert configuration.registry is not None
    openai, vllm = configuration.registry.providers.values()
    assert openai.base_url == "https://api.openai.com/v1"
    assert (openai.timeouts.connect_s, openai.timeouts.idle_s, openai.timeouts.total_s) == (1, 60, 2.5)
    assert vllm.base_url == "http://127.0.0.1:8001/v1"
    assert configuration.registry.models["gpt-4o-mini"].upstream_model == "gpt-4o-mini"
    assert configuration.registry.models["small"].upstream_model == "org/small-7b"
    assert configuration.registry.chains["gpt-4o-mini"].fallbacks == ("small",)


@pytest.mark.parametrize(("text", "code", "line", "named"), BAD.values(), ids=BAD)
def test_fault_is_one_finding_at_its_line(load: Loader, text: str, code: str, line: int, named: str) -> None:
    """A fault is reported once, at its line, by name; there is no registry then."""
    configuration = load(text)

    assert configuration.registry is None
    [finding] = configuration.findings
    assert (finding.severity, finding.code, finding.line) == ("error", code, line)
    assert named in finding.message
    assert str(finding) == f"{load.file}:{line}: error [{code}] {finding.message}"


def test_written_key_is_not_repeated(load: Loader) -> None:
    """The finding about a secret does not show the secret."""
    [finding] = load("providers:\n  openai:\n    api_key: hunter2-hunter2").findings

    assert "hunter2" not in finding.message


def test_every_fault_is_reported_in_order(load: Loader) -> None:
    """All that can be found at once is reported, from top to bottom."""
    findings = load("models:\n  a: {provider: x}\n  b: {provider: y}\nchains:\n  c: [a]\n").findings

    assert [finding.line for finding in findings] == [2, 3, 5]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"], ids=["absent", "not text"])
def test_file_that_cannot_be_read_is_a_finding(tmp_path: Path, content: bytes | None) -> None:
    """A file that is not there, or is no text, is reported like any other fault."""
    file = tmp_path / "g.yaml"
    if content:
        file.write_bytes(content)

    [finding] = load_configuration(file, {}, {}).findings

    assert (finding.code, finding.file) == ("unreadable_file", str(file))


def test_empty_file_serves_nothing(load: Loader) -> None:
    """An empty file is no error, but is remarked upon."""
    configuration = load("")

    assert configuration.registry is not None
    assert [finding.code for finding in configuration.findings] == ["nothing_to_serve"]


@pytest.mark.parametrize(
    ("yaml_url", "variable", "expected"),
    [
        ("http://127.0.0.1:1/api", "http://127.0.0.1:2/v1", "http://127.0.0.1:1/api"),
        (None, "http://127.0.0.1:2", "http://127.0.0.1:2/v1"),
        (None, "http://127.0.0.1:2/v2/", "http://127.0.0.1:2/v2"),
    ],
    ids=["file first", "then the variable", "with its own path"],
)
def test_address_comes_from_file_or_variable(
    load: Loader, yaml_url: str | None, variable: str, expected: str
) -> None:
    """The file's address goes before the variable's; one without a path gets the vendor's."""
    base_url = f"base_url: {yaml_url}" if yaml_url else ""
    configuration = load(
        f"providers: {{vllm: {{{base_url}}}}}\nmodels: {{m: {{provider: vllm}}}}", {"VLLM_ENDPOINT": variable}
    )

    assert configuration.registry is not None
    assert configuration.registry.providers["vllm"].base_url == expected


def test_chain_takes_what_it_does_not_say_from_resilience(load: Loader) -> None:
    """A chain in its long form wins field by field over what holds for all chains; a short one says nothing itself."""
    configuration = load(
        """
providers: {openai: {}, vllm: {base_url: "http://127.0.0.1:9/v1"}}
models: {a: {provider: openai}, b: {provider: vllm}, c: {provider: vllm}}
resilience: {retries: {attempts: 2, jitter: 0}, triggers: {rate: false}, rescue: replay}
chains:
  a: {fallbacks: [b], retries: {attempts: 1}, triggers: {auth: false}, hedge_after_s: 0.5}
  b: [c]
""",
    )

    assert configuration.registry is not None
    own, short, none = (configuration.registry.chain_of(name) for name in "abc")
    assert (own.retries.attempts, own.retries.jitter, own.hedge_after_s, own.rescue) == (1, 0, 0.5, "replay")
    assert (own.triggers.rate, own.triggers.auth, own.triggers.timeout) == (False, False, True)
    assert (short.fallbacks, short.retries.attempts, short.hedge_after_s) == (("c",), 2, None)
    assert (none.fallbacks, none.rescue) == ((), "replay")


def test_wrong_chain_is_told_with_its_line(load: Loader) -> None:
    """What is wrong in a chain's long form is told by its field, as it stands in the file."""
    configuration = load("models: {}\nchains:\n  a:\n    rescue: pray\n")

    [finding] = configuration.findings
    assert (finding.line, finding.message.partition(":")[0]) == (4, "chains.a.rescue")
