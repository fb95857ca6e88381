"""The walk of `docs/howto/first_account.py` on a live product, as a new user would take it."""

from __future__ import annotations

import subprocess
import sys

from tests.support.product import ROOT, Product

_EMAIL, _PASSWORD = "admin@example.com", "correct horse battery staple"


def test_new_user_pays_scores_reads_and_is_refunded(product: Product) -> None:
    product.run("admin", "create", "--email", _EMAIL, "--password-stdin", stdin=_PASSWORD)
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "docs" / "howto" / "first_account.py",
            "--url",
            product.base_url,
            "--operator",
            _EMAIL,
        ],
        env={**product.variables, "FAREBOX_OPERATOR_PASSWORD": _PASSWORD},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "revoked the key; scoring with it is refused now"
    assert "welcome credits: 100" in done.stdout
    assert "leaves 124" in done.stdout
    assert "124 -> 125" in done.stdout
    assert "the ledger is clean" in product.run("reconcile").stdout
