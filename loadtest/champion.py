"""The file of the model that answers whoever names no version, as the checkout holds it."""

from __future__ import annotations

import json
from pathlib import Path

_VERSIONS = Path("models/artifacts/android-malware")


def champion_file(versions: Path = _VERSIONS) -> Path:
    """The LightGBM text of the champion that `rollout.json` names, else of the newest version.

    Raises ValueError where there is no version.
    """
    rollout = versions / "rollout.json"
    if rollout.exists():
        champion = str(json.loads(rollout.read_text())["champion"])
        return versions / champion / "model.txt"
    numbers = [int(each.name) for each in versions.glob("[0-9]*") if each.name.isdigit()]
    if not numbers:
        raise ValueError(f"there is no version of the model in {versions}")
    return versions / str(max(numbers)) / "model.txt"
