"""Drift is drawn where matplotlib is, and who has none is told how to come by it."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest

from farebox.drift_plot import draw_drift, ensure_matplotlib
from farebox.errors import FareboxError
from models.registry import ARTIFACTS_ROOT
from serve.drift import judge
from tests.support.drift import odd_rows, usual_rows

DAY = date(2026, 5, 1)


def test_without_matplotlib_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(FareboxError, match="pip install"):
        ensure_matplotlib()


def test_models_with_and_without_a_reference_are_drawn(tmp_path: Path) -> None:
    days = [usual_rows(DAY), odd_rows(DAY.replace(day=2))]
    findings = judge(ARTIFACTS_ROOT, days, 0.2)
    nothing_known = judge(tmp_path, [odd_rows(DAY)], 0.2)
    path = tmp_path / "drift.png"
    by_day = [(each.day, judge(ARTIFACTS_ROOT, [each], 0.2)[0]) for each in days]
    draw_drift([*findings, *nothing_known], by_day, 0.2, path)
    assert path.read_bytes().startswith(b"\x89PNG")
