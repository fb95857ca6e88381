"""The models that are published: what fits each, and what writes it down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import lightgbm

from data.loader import Matrix
from ml_task import linear
from ml_task.recipe import SERVED, WEIGHTING, Fit, fit_booster
from models.manifest import Kind

Export: TypeAlias = Callable[[Matrix, Matrix, tuple[str, ...]], bytes]
Parameters: TypeAlias = dict[str, int | float | str | bool]


@dataclass(frozen=True, slots=True)
class Published:
    """One model: `fit` is measured out of fold, `export` fits on all rows and gives the file."""

    name: str
    version: str
    kind: Kind
    file: str
    fit: Fit
    export: Export
    library: str
    parameters: Parameters
    weighting: str = WEIGHTING


def _export_text(matrix: Matrix, labels: Matrix, names: tuple[str, ...]) -> bytes:
    return fit_booster(matrix, labels, names).model_to_string().encode()


BOOSTED = Published(
    name="android-malware",
    version="2",
    kind="lightgbm",
    file="model.txt",
    fit=SERVED.fit,
    export=_export_text,
    library=f"lightgbm {lightgbm.__version__}",
    parameters={**SERVED.parameters, "num_trees": SERVED.trees},
)
LINEAR = Published(
    name="android-malware-linear",
    version="1",
    kind="onnx",
    file="model.onnx",
    fit=linear.fit,
    export=linear.export_onnx,
    library=linear.LIBRARY,
    parameters=linear.PARAMETERS,
)
PUBLISHED = {one.name: one for one in (BOOSTED, LINEAR)}
