"""Somebody who looks at the pages in the system's browser."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

from reports.report import Report
from reports.writers import html

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = (1280, 800)
TELEPHONE = (390, 844)


class Reader:
    """Somebody at a browser who opens a report's page and looks at it."""

    def __init__(self, driver: Chrome, file: Path) -> None:
        self._driver = driver
        self._file = file

    def open(
        self,
        report: Report,
        place: str = "",
        size: tuple[int, int] = DESK,
        write: Callable[[Report], str] = html.write,
    ) -> None:
        """Open the page that `write` makes at `place`, on a screen of `size` in CSS pixels."""
        self._file.write_text(write(report), encoding="utf-8")
        width, height = size
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == TELEPHONE}
        self.order("Emulation.setDeviceMetricsOverride", **screen)
        self._driver.get(f"{self._file.as_uri()}{place}")

    def prefer(self, *, scheme: str = "light", media: str = "") -> None:
        """Ask for a colour scheme, or for the page as it is for a medium such as `print`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.order("Emulation.setEmulatedMedia", media=media, features=features)

    def order(self, command: str, **options: Any) -> Any:
        return self._driver.execute_cdp_cmd(command, options)

    def ask(self, script: str, *arguments: Any) -> Any:
        return self._driver.execute_script(script, *arguments)

    def press(self, key: str) -> None:
        self._driver.switch_to.active_element.send_keys(key)

    def sees(self, selector: str) -> list[str]:
        """Return the texts of the elements that lie whole within the screen as it stands."""
        found: list[str] = self.ask(
            """return [...document.querySelectorAll(arguments[0])].filter(each => {
              const {left, top, right, bottom} = each.getBoundingClientRect();
              return each.checkVisibility({visibilityProperty: true}) && bottom > top
                && left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
            }).map(each => each.innerText)""",
            selector,
        )
        return found

    def requested(self) -> set[str]:
        """Return the addresses that the browser has asked for since the last call."""
        events = [
            json.loads(entry["message"])["message"]
            for entry in self._driver.execute("getLog", {"type": "performance"})["value"]
        ]
        sent = [each["params"] for each in events if each["method"] == "Network.requestWillBeSent"]
        return {each["request"]["url"] for each in sent}

    @property
    def title(self) -> str:
        return self._driver.title

    @property
    def address(self) -> str:
        return self._file.as_uri()
