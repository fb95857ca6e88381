"""An artifact whose prediction is NaN for chosen rows, to test what then happens around it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from data.schema import FeatureSchema
from models.manifest import (
    MANIFEST_FILE,
    Artifact,
    Decision,
    Labels,
    Manifest,
    Training,
    write_manifest,
)
from models.registry import artifact_folder

NAME = "fragile"
VERSION = "1"
POISON = "POISON"
FEATURES = (POISON, "INTERNET", "SEND_SMS")
MODEL_FILE = "model.txt"

# Two trees of two leaves: the first gives NaN where POISON is 1, the second adds 2 for SEND_SMS.
MODEL = """\
tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:1
feature_names=POISON INTERNET SEND_SMS
feature_infos=[0:1] [0:1] [0:1]
tree_sizes={sizes}

{trees}end of trees

feature_importances:
POISON=1
SEND_SMS=1

parameters:
end of parameters

pandas_categorical:null
"""
TREE = """\
Tree={number}
num_leaves=2
num_cat=0
split_feature={feature}
split_gain=1
threshold=0.5
decision_type=2
left_child=-1
right_child=-2
leaf_value={leaves}
leaf_weight=1 1
leaf_count=1 1
internal_value=0
internal_weight=2
internal_count=2
is_linear=0
shrinkage=1


"""


def write_fragile_model(
    root: Path, version: str = VERSION, *, name: str = NAME, send_sms: float = 2
) -> Path:
    """Write a version of the model `fragile` below `root`, to be read by `read_catalog(root)`.

    Its probability is NaN exactly for rows whose feature POISON is 1; else it is 0.27 without
    and 0.73 with SEND_SMS, or what `send_sms` adds to the log-odds of -1. Returns its folder.
    """
    folder = artifact_folder(root, name, version)
    folder.mkdir(parents=True)
    content = render_model(send_sms).encode()
    (folder / MODEL_FILE).write_bytes(content)
    write_manifest(describe(content, name, version), folder / MANIFEST_FILE)
    return folder


def render_model(send_sms: float = 2) -> str:
    """The model in LightGBM's text format."""
    trees = [
        TREE.format(number=0, feature=0, leaves="-1 nan"),
        TREE.format(number=1, feature=2, leaves=f"0 {send_sms:g}"),
    ]
    sizes = " ".join(str(len(tree)) for tree in trees)
    return MODEL.format(sizes=sizes, trees="".join(trees))


def describe(content: bytes, name: str = NAME, version: str = VERSION) -> Manifest:
    """A valid manifest for the model text `content`."""
    schema = FeatureSchema(FEATURES)
    return Manifest(
        name=name,
        version=version,
        kind="lightgbm",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        labels=Labels(negative="goodware", positive="malware"),
        decision=Decision(
            threshold=0.5, cost_ratio=1, measured_on="nothing", recall=1, false_positive_rate=0
        ),
        artifact=Artifact(file=MODEL_FILE, sha256=hashlib.sha256(content).hexdigest()),
        training=Training(
            data_sha256="0" * 64,
            rows=1,
            vectors=1,
            weighting="none: written by hand",
            seed=0,
            library="none",
            parameters={},
        ),
        metrics={},
        features_sha256=schema.sha256,
        features=schema.names,
    )
