"""The pages that the links of mails lead to.

Opening a link does nothing yet, since programs that look through mail open links, too: its page's
button does. The page's script is the only one it may run.
"""

from __future__ import annotations

import base64
import hashlib

from fastapi.responses import HTMLResponse

_SCRIPT = """
const form = document.querySelector("form");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = location.pathname.split("/").pop();
  const password = form.elements.password;
  const [path, body] = password
    ? [location.pathname, {password: password.value}]
    : [location.pathname.slice(0, -token.length - 1), {token}];
  const said = document.querySelector("output");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify(body),
    });
    said.textContent = answer.ok ? form.dataset.done : (await answer.json()).detail;
    if (answer.ok) form.hidden = true;
  } catch {
    said.textContent = "The server did not answer; try again.";
  }
});
"""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<h1>{title}</h1>
<form data-done="{done}">{fields}<button>{title}</button></form>
<p><output></output></p>
<script>{script}</script>
</html>
"""

_FIELD = (
    '<label>New password <input type="password" name="password" required minlength="10" '
    'maxlength="200" autocomplete="new-password"></label> '
)

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def verification_page() -> HTMLResponse:
    """A button that verifies the address."""
    return _page("Verify your address", "Your address is verified.", "")


def reset_page() -> HTMLResponse:
    """A field for the new password."""
    return _page("Set a new password", "Your password is set: sign in with it.", _FIELD)


def _page(title: str, done: str, fields: str) -> HTMLResponse:
    page = _PAGE.format(title=title, done=done, fields=fields, script=_SCRIPT)
    return HTMLResponse(page, headers=_HEADERS)
