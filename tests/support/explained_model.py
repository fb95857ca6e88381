"""A small artifact whose contributions can be reckoned by hand."""

from __future__ import annotations

from pathlib import Path

from models.manifest import MANIFEST_FILE, write_manifest
from models.registry import artifact_folder
from tests.support.fragile_model import MODEL, MODEL_FILE, TREE, VERSION, describe

NAME = "explained"
BASE = 1.0
"""Both trees' mean over their two leaves: -0.5 + 1.5."""
INTERNET, SEND_SMS = 0.5, 1.5
"""What a feature contributes where it is present; the opposite where it is not."""


def write_explained_model(root: Path) -> None:
    """Write version 1 of the model `explained` below `root`.

    The log-odds are -1 without INTERNET, 0 with it, and 3 more with SEND_SMS; POISON is not used.
    """
    folder = artifact_folder(root, NAME, VERSION)
    folder.mkdir(parents=True)
    content = _render().encode()
    (folder / MODEL_FILE).write_bytes(content)
    manifest = describe(content).model_copy(update={"name": NAME})
    write_manifest(manifest, folder / MANIFEST_FILE)


def _render() -> str:
    trees = [
        TREE.format(number=0, feature=1, leaves="-1 0"),
        TREE.format(number=1, feature=2, leaves="0 3"),
    ]
    return MODEL.format(sizes=" ".join(str(len(tree)) for tree in trees), trees="".join(trees))
