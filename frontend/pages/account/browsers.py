"""Which browser a user agent stands for, in the names that people know."""

from __future__ import annotations

import re

_BROWSERS = (
    ("Edg", "Edge"),
    ("EdgA", "Edge"),
    ("EdgiOS", "Edge"),
    ("OPR", "Opera"),
    ("YaBrowser", "Yandex Browser"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
    ("curl", "curl"),
    ("Wget", "Wget"),
    ("python-httpx", "Python"),
    ("python-requests", "Python"),
    ("Python-urllib", "Python"),
    ("PostmanRuntime", "Postman"),
)
"""Product in the user agent, and its name. Others call themselves Chrome too: they come first."""

_SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
"""Word in the user agent, and the system's name. Android calls itself Linux too: it comes first."""

_NAME = re.compile(r"[\w.+ -]{1,40}")


def name_browser(user_agent: str) -> tuple[str, str]:
    """Browser or program, and system; each "" where it is not known."""
    browser = next(
        (name for product, name in _BROWSERS if f"{product}/" in user_agent), _own_name(user_agent)
    )
    system = next((name for word, name in _SYSTEMS if word in user_agent), "")
    return browser, system


def _own_name(user_agent: str) -> str:
    """What a program that is not known calls itself: `sync/2.1` is `sync`."""
    found = _NAME.match(user_agent.partition("/")[0])
    name = found[0].strip() if found else ""
    return "" if name == "Mozilla" else name
