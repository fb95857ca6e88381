"""`python -m tests.browser.screenshots`: pictures of the running console, for the documentation.

Makes a user with some history and an admin of its own on that product.
"""

from __future__ import annotations

import io
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from farebox.home import Home
from farebox.running import RunningProduct
from tests.support.busy_user import use_product
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.product import ROOT
from tests.support.users import User, sign_in, sign_up
from tests.support.visitor import PASSWORD, Visitor

FOLDER = ROOT / "docs" / "screenshots"
SCREENS = {"wide": (1440, 900), "narrow": (375, 800)}
HEIGHT_MAX = 2400
COLOURS = 128
BYTES_MAX = 6_000_000
CHARTS_MILLISECONDS = 1_000
"""From the first chart that is drawn to the last."""

IN_RUSSIAN = frozenset({"check", "account"})

FAULTY_FILE = """\
app,features
torch,SEND_SMS RECEIVE_BOOT_COMPLETED INTERNET
camera,CAMERA FLASHLIGHT VIBRATE INTERNET
messenger,READ_SMS SEND_SMS INTERNT
maps,ACCESS_FINE_LOCATION ACCESS_COARSE_LOCATION INTERNET
"""
"""One name is misspelt."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One page as it is pictured: opened by `user`, or by nobody, and brought to what to show."""

    name: str
    path: str
    user: User | None
    prepare: Callable[[Visitor], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class View:
    """A scene as somebody sees it."""

    scene: Scene
    theme: Literal["light", "dark"]
    screen: str
    language: str = "en"

    @property
    def path(self) -> Path:
        """Where the picture goes."""
        language = "" if self.language == "en" else f"-{self.language}"
        return FOLDER / f"{self.scene.name}{language}-{self.theme}-{self.screen}.png"


def check(visitor: Visitor) -> None:
    """Press the button, and wait for the verdict with its reasons."""
    page = visitor.page
    expect(page.locator("#fb-chosen .token")).to_have_count(3)
    page.locator("button.primary:visible").click()
    expect(page.locator(".fb-verdict")).to_be_visible()
    expect(page.locator(".fb-supporting")).to_be_visible()


def check_file(visitor: Visitor) -> None:
    """Hand in a file with a fault, and wait for what is said of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "apps.csv"
        path.write_text(FAULTY_FILE)
        visitor.page.set_input_files("input[type=file]", path)
        expect(visitor.page.locator(".fb-many-table").first).to_be_visible()


def ask_why(visitor: Visitor) -> None:
    """Show the reasons for a prediction."""
    visitor.page.click("#fb-why")
    expect(visitor.page.locator(".fb-supporting")).to_be_visible()


def draw_charts(visitor: Visitor) -> None:
    """Wait until they are drawn."""
    expect(visitor.page.locator(".vega-embed:visible .marks")).not_to_have_count(0)
    visitor.page.wait_for_timeout(CHARTS_MILLISECONDS)


def open_charts(visitor: Visitor) -> None:
    """The second tab."""
    visitor.page.get_by_role("tab").nth(1).click()
    draw_charts(visitor)


def plan(user: User, admin: User, prediction_id: str) -> Iterator[Scene]:
    """All pages, from the outside to the inside."""
    yield Scene("welcome", "", None)
    yield Scene("check", "check?example=torch", user, check)
    yield Scene("many", "many", user, check_file)
    yield Scene("account", "account", user)
    yield Scene("history", "history", user)
    yield Scene("history-details", f"history?prediction={prediction_id}", user, ask_why)
    yield Scene("usage", "history?view=usage&days=7", user, draw_charts)
    yield Scene("operations-overview", "operations", admin)
    yield Scene("operations-charts", "operations", admin, open_charts)


def plan_views(scenes: Sequence[Scene]) -> Iterator[View]:
    """English in light and dark on both screens, and two pages in Russian."""
    for scene in scenes:
        for screen in SCREENS:
            yield View(scene, "light", screen)
            yield View(scene, "dark", screen)
        if scene.name in IN_RUSSIAN:
            yield View(scene, "light", "wide", "ru")


def take(browser: Browser, url: str, view: View) -> Path:
    """One picture, as small as it goes."""
    scene = view.scene
    width, height = SCREENS[view.screen]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=view.theme,
        reduced_motion="reduce",
    )
    with context:
        visitor = Visitor(context, url, frozenset(), view.language)
        if scene.user:
            visitor.enter_as(scene.user.email, scene.user.token)
        visitor.open(scene.path)
        scene.prepare(visitor)
        visitor.settle()
        visitor.let_motion_end()
        picture = visitor.page.screenshot(full_page=True)
    save(picture, view.path)
    return view.path


def save(picture: bytes, path: Path) -> None:
    """Cut at the bottom and with few colours."""
    with Image.open(io.BytesIO(picture)) as image:
        shown = image.convert("RGB").crop((0, 0, image.width, min(image.height, HEIGHT_MAX)))
        shown.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def make_admin(product: RunningProduct) -> User:
    """By the product's own command."""
    email = f"admin-{secrets.token_hex(2)}@example.com"
    command = ["admin", "create", "--email", email, "--password-stdin"]
    subprocess.run(
        [sys.executable, "-m", "farebox", *command], input=PASSWORD, text=True, check=True
    )
    return sign_in(product.base_url, email)


def main() -> None:
    """Take all; ends with an error where there is nothing to take them of, or with."""
    product = RunningProduct.read(Home.from_environment())
    if product is None or product.console_url is None:
        sys.exit("no product with a console is running here: start one with `make up`")
    chromium, why_not = find_chromium()
    if chromium is None:
        sys.exit(why_not)
    FOLDER.mkdir(parents=True, exist_ok=True)
    user, admin = sign_up(product.base_url, "anna"), make_admin(product)
    views = list(plan_views(list(plan(user, admin, use_product(user)))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        paths = [take(browser, product.console_url, view) for view in views]
        browser.close()
    size = sum(path.stat().st_size for path in paths)
    sys.stdout.write(f"{len(paths)} pictures, {size / 1e6:.1f} MB, in {FOLDER}\n")
    if size > BYTES_MAX:
        sys.exit(f"they are larger than {BYTES_MAX / 1e6:.0f} MB: lower COLOURS or HEIGHT_MAX")


if __name__ == "__main__":
    main()
