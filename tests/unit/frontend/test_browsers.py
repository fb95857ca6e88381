"""User agents in the names that people know."""

import pytest

from frontend.pages.account.browsers import name_browser

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
_ANDROID = "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("user_agent", "named"),
    [
        (_WINDOWS + "Chrome/126.0.0.0 Safari/537.36", ("Chrome", "Windows")),
        (_WINDOWS + "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", ("Edge", "Windows")),
        (_WINDOWS + "Chrome/126.0.0.0 YaBrowser/24.4 Safari/537.36", ("Yandex Browser", "Windows")),
        (_MAC + "Version/17.5 Safari/605.1.15", ("Safari", "macOS")),
        (_IPHONE + "Version/17.5 Mobile/15E148 Safari/604.1", ("Safari", "iPhone")),
        (_IPHONE + "CriOS/126.0 Mobile/15E148 Safari/604.1", ("Chrome", "iPhone")),
        (
            _ANDROID + "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            ("Samsung Internet", "Android"),
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
            ("Firefox", "Linux"),
        ),
        ("curl/8.5.0", ("curl", "")),
        ("python-httpx/0.28", ("Python", "")),
        ("nightly sync/2.1", ("nightly sync", "")),
        ("Mozilla/5.0", ("", "")),
        ("", ("", "")),
        ("<script>alert(1)</script>", ("", "")),
    ],
)
def test_a_browser_is_named(user_agent: str, named: tuple[str, str]) -> None:
    assert name_browser(user_agent) == named
