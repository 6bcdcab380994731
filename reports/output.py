"""Files written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from reports.errors import OutputError

_MODE = 0o755
"""A report is for reading; temporary folders are made for their owner alone."""


def write_text(path: Path, text: str) -> None:
    """Write a file, which is there with its whole text or stays as it was.

    Raises:
        OutputError: it cannot be written.

    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def write_folder(folder: Path, texts: Mapping[str, str]) -> None:
    """Write a folder of files, which takes the place of `folder` once all of them are there.

    Raises:
        OutputError: it cannot be written, or `folder` holds files of another kind, which are not for us to remove.

    """
    try:
        _refuse_strangers(folder, texts)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            fresh, old = Path(beside) / "fresh", Path(beside) / "old"
            fresh.mkdir(mode=_MODE)
            for name, text in texts.items():
                (fresh / name).write_text(text, encoding="utf-8")
            if folder.exists():
                folder.replace(old)
            fresh.replace(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error


def _refuse_strangers(folder: Path, texts: Mapping[str, str]) -> None:
    strangers = (
        sorted(path.name for path in folder.iterdir() if path.name not in texts) if folder.exists() else []
    )
    if strangers:
        raise OutputError(
            f"{folder}: holds {', '.join(strangers[:3])}, which is no part of a report: name another folder"
        )
