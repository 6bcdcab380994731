import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from gateway.__main__ import main
from suites.unit.gateway.fake_provider import FakeProvider, status
from suites.unit.gateway.wire_texts import completion

GATEWAY = (sys.executable, "-m", "gateway")
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")} | {
    "OPENAI_API_KEY": "sk-example-not-a-key",
    "GATEWAY_OPEN_ACCESS": "true",
}


@pytest.fixture
def config(tmp_path: Path, provider: FakeProvider) -> str:
    file = tmp_path / "gateway.yaml"
    text = f"providers: {{openai: {{base_url: {provider.url}}}}}\nmodels: {{first: {{provider: openai}}}}\n"
    file.write_text(text, encoding="utf-8")
    return str(file)


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [*GATEWAY, *arguments]
    return subprocess.run(
        command, env=ENVIRON | environ, capture_output=True, text=True, timeout=20, check=False
    )


@contextmanager
def running(*arguments: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs the gateway until it is told to end; gives the process and the address that it announces."""
    with subprocess.Popen(
        [*GATEWAY, "serve", *arguments],
        env=ENVIRON | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            found = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
            assert found, line
            yield process, found[1]
        finally:
            process.kill()


@pytest.mark.parametrize("by", ["arguments", "environment"])
def test_gateway_serves_until_it_is_told_to_stop(config: str, provider: FakeProvider, by: str) -> None:
    """It announces its address once, answers, logs JSON without secrets, and ends by a signal with code 0."""
    provider.lists_models = True
    provider.then(status(200, completion("Hello")))
    body = {"model": "first", "messages": [{"role": "user", "content": "Hi"}]}
    in_arguments = by == "arguments"
    arguments = ["--config", config, "--port", "0"] if in_arguments else []
    environ = {} if in_arguments else {"GATEWAY_CONFIG": config, "GATEWAY_PORT": "0"}

    with running(*arguments, **environ) as (process, url):
        answer = httpx2.post(f"{url}/v1/chat/completions", json=body).json()
        process.send_signal(signal.SIGTERM if in_arguments else signal.SIGINT)
        out, log = process.communicate(timeout=10)

    assert answer["choices"][0]["message"]["content"] == "Hello"
    assert (process.returncode, out) == (0, "")
    assert [line.startswith('{"time":"') for line in log.splitlines()] == [True, True]
    assert "sk-example" not in log


def test_good_configuration_passes_the_check(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file without faults is checked with exit code 0, and nothing to say."""
    assert main(["check", "--config", config], ENVIRON) == 0
    assert capsys.readouterr() == ("", "")


def test_check_prints_every_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding is one line with file, line, severity and code; an error makes the exit code 1."""
    file = tmp_path / "bad.yaml"
    file.write_text(
        "providers:\n  openai: {base_url: h}\n  ollama: {}\nmodels:\n  m: {provider: openai}\n",
        encoding="utf-8",
    )

    assert main(["check", "--config", str(file)], {}) == 1

    error, missing, lonely = capsys.readouterr().out.splitlines()
    assert error.startswith(f"{file}:2: error [invalid_url] ")
    assert missing.startswith(f"{file}:2: warning [missing_variable] ")
    assert "OPENAI_API_KEY" in missing
    assert lonely.startswith(f"{file}:3: warning [no_models] ")


def test_warnings_alone_pass_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is printed, but is no error."""
    file = tmp_path / "empty.yaml"
    file.touch()

    assert main(["check", "--config", str(file)], {}) == 0
    assert "nothing_to_serve" in capsys.readouterr().out


REFUSALS: dict[str, tuple[Sequence[str], dict[str, str], int, str]] = {
    "nothing at all": (["serve"], {"OPENAI_API_KEY": ""}, 1, "GATEWAY_CONFIG"),
    "nobody has a key": (["serve"], {"GATEWAY_OPEN_ACCESS": "false"}, 1, "GATEWAY_USER_KEYS"),
    "wrong flag": (["serve"], {"GATEWAY_OPEN_ACCESS": "1"}, 2, "GATEWAY_OPEN_ACCESS must be true or false"),
    "no command": ([], {}, 2, "required"),
    "unknown argument": (["check", "--fast"], {}, 2, "--fast"),
    "wrong port": (["serve", "--port", "http"], {}, 2, "--port"),
    "wrong variable": (["serve"], {"GATEWAY_LOG_LEVEL": "loud"}, 2, "GATEWAY_LOG_LEVEL"),
    "no such file": (
        ["serve", "--config", "/nowhere.yaml"],
        {},
        1,
        "/nowhere.yaml:1: error [unreadable_file]",
    ),
    "no such host": (
        ["serve", "--config", "CONFIG", "--host", "nowhere.invalid"],
        {"GATEWAY_USER_KEYS": "user-example-key", "GATEWAY_ADMIN_KEYS": "admin-example-key"},
        1,
        "cannot listen on nowhere.invalid:8080",
    ),
    "open to everybody": (
        ["serve", "--config", "CONFIG", "--host", "192.0.2.1"],
        {},
        1,
        "GATEWAY_USER_KEYS and GATEWAY_ADMIN_KEYS",
    ),
    "half open": (
        ["serve", "--config", "CONFIG", "--host", "::"],
        {"GATEWAY_USER_KEYS": "user-example-key"},
        1,
        "set GATEWAY_ADMIN_KEYS",
    ),
}


@pytest.mark.parametrize(("arguments", "environ", "code", "named"), REFUSALS.values(), ids=REFUSALS)
def test_gateway_refuses_to_start_with_one_clear_message(
    config: str,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environ: dict[str, str],
    code: int,
    named: str,
) -> None:
    """Whatever is wrong is named; wrong use is code 2, a refusal code 1."""
    stated = [config if argument == "CONFIG" else argument for argument in arguments]

    try:
        returned = main(stated, ENVIRON | environ)
    except SystemExit as exit_by_argparse:
        returned = int(exit_by_argparse.code or 0)

    out, err = capsys.readouterr()
    assert (returned, out) == (code, "")
    assert named in err


def test_bad_configuration_is_refused_without_a_traceback(tmp_path: Path) -> None:
    """The gateway does not start with a file that it cannot read, and says where the fault is."""
    file = tmp_path / "bad.yaml"
    file.write_text("providers: {}\nmodels: [\n", encoding="utf-8")

    result = run("serve", "--config", str(file))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{file}:")
    assert result.stderr.count("\n") == 1


def test_port_in_use_is_told_in_one_line(config: str) -> None:
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        result = run("serve", "--config", config, "--port", port)

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"127.0.0.1:{port}" in result.stderr
    assert "in use" in result.stderr
