"""What a command imports before it starts, and that the whole command line is behind it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.fragile_model import NAME, write_fragile_model

HEAVY = ("alembic", "asyncpg", "lightgbm", "ray", "sqlalchemy")
TELL_IMPORTS = f"""
import sys
from farebox.entry import main
try:
    main()
finally:
    print("imported:", [name for name in {HEAVY} if name in sys.modules])
"""


def run(*arguments: str, models_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", TELL_IMPORTS, *arguments],
        env={**os.environ, "FAREBOX_MODELS_DIR": str(models_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_taking_a_model_back_waits_for_no_library_it_does_not_need(tmp_path: Path) -> None:
    for version in ("1", "2"):
        write_fragile_model(tmp_path, version)
    assert run("models", "promote", NAME, "1", models_dir=tmp_path).returncode == 0
    done = run("models", "rollback", NAME, models_dir=tmp_path)
    assert "fragile: 2 is the champion" in done.stdout
    assert "imported: []" in done.stdout


def test_every_other_command_is_there_too(tmp_path: Path) -> None:
    assert "reconcile" in run("--help", models_dir=tmp_path).stdout
    assert "rollback" in run("models", "--help", models_dir=tmp_path).stdout


def test_an_error_that_a_person_can_mend_has_no_traceback(tmp_path: Path) -> None:
    done = run("models", "rollback", "nothing", models_dir=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no model 'nothing'")
