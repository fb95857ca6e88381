"""`rollout.json`: what is refused, that replacing it is whole, and that writers wait."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.errors import RegistryBusy, RolloutInvalid
from models.rollout import first_rollout
from models.rollout_file import ROLLOUT_FILE, read_rollout, registry_lock, write_rollout

AT = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
STATE = first_rollout("1", AT).promote("2", AT).canary("3", 25, AT).start_shadow("3", AT)
VERSIONS = ("1", "2", "3")


def test_rollout_survives_writing_and_reading(tmp_path: Path) -> None:
    write_rollout(tmp_path, STATE)
    assert read_rollout(tmp_path, VERSIONS) == STATE
    assert [path.name for path in tmp_path.iterdir()] == [ROLLOUT_FILE]


def test_model_whose_rollout_was_never_decided_has_none(tmp_path: Path) -> None:
    assert read_rollout(tmp_path, VERSIONS) is None


def test_deleted_retired_version_is_no_fault(tmp_path: Path) -> None:
    write_rollout(tmp_path, STATE.retire("1", AT))
    assert read_rollout(tmp_path, ("2", "3")) is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"champion": "9"}, "version 9 does not exist"),
        ({"challenger": "9"}, "version 9 does not exist"),
        ({"canary_percent": 250}, "canary_percent"),
        ({"canary_percent": "25"}, "canary_percent"),
        ({"retired": ["2"]}, "not retired"),
        ({"surprise": 1}, "surprise"),
        ({"champion": None}, "champion"),
    ],
)
def test_faulty_rollout_is_refused_naming_the_fault(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    write_rollout(tmp_path, STATE)
    content = json.loads((tmp_path / ROLLOUT_FILE).read_text())
    (tmp_path / ROLLOUT_FILE).write_text(json.dumps(content | change))
    with pytest.raises(RolloutInvalid, match=message):
        read_rollout(tmp_path, VERSIONS)


@pytest.mark.parametrize("kept", [0, 20])
def test_truncated_rollout_is_refused(tmp_path: Path, kept: int) -> None:
    write_rollout(tmp_path, STATE)
    content = (tmp_path / ROLLOUT_FILE).read_bytes()
    (tmp_path / ROLLOUT_FILE).write_bytes(content[:kept])
    with pytest.raises(RolloutInvalid, match=ROLLOUT_FILE):
        read_rollout(tmp_path, VERSIONS)


def test_second_writer_is_refused_while_the_first_holds_the_lock(tmp_path: Path) -> None:
    with (
        registry_lock(tmp_path),
        pytest.raises(RegistryBusy),
        registry_lock(tmp_path, wait_seconds=0),
    ):
        pass
    with registry_lock(tmp_path, wait_seconds=0):
        pass
