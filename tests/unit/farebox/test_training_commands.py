"""`farebox train` and `evaluate`: what they write and print, and what they say if they cannot."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.loader import Dataset
from farebox import training, training_commands
from farebox.cli import app
from farebox.errors import FareboxError
from models.loading import load_model
from models.registry import read_catalog
from tests.support.datasets import invent_dataset

runner = CliRunner()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """An invented data set that the commands take for the real one."""
    dataset = invent_dataset()
    monkeypatch.setattr(training_commands, "load_dataset", lambda _path: dataset)
    return dataset


def test_train_writes_models_that_can_be_loaded(small: Dataset, tmp_path: Path) -> None:
    result = runner.invoke(app, ["train", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    catalog = read_catalog(tmp_path)
    assert catalog.names == ("android-malware", "android-malware-linear")
    for manifest in catalog.manifests:
        found = load_model(tmp_path, manifest).predict(small.matrix)
        assert found.shape == (len(small.matrix),)
        assert f"{manifest.name}/{manifest.version}" in result.output.replace("\n", "")


def test_train_takes_one_model_under_another_version(small: Dataset, tmp_path: Path) -> None:
    order = ["train", "--quick", "--out", str(tmp_path), "--model", "android-malware-linear"]
    result = runner.invoke(app, [*order, "--version", "7"])
    assert result.exit_code == 0, result.output
    [manifest] = read_catalog(tmp_path).manifests
    assert (manifest.name, manifest.version) == ("android-malware-linear", "7")
    assert manifest.features == small.schema.names


def test_evaluate_shows_every_split_and_writes_nothing(
    small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = runner.invoke(app, ["evaluate", "--quick", "--model", "android-malware-linear"])
    assert result.exit_code == 0, result.output
    assert "threshold" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small")
def test_unknown_model_is_told_with_those_that_are_known() -> None:
    result = runner.invoke(app, ["evaluate", "--model", "weather"])
    assert isinstance(result.exception, training.UnknownTask)
    assert "android-malware-linear" in str(result.exception)


def test_missing_data_set_says_how_to_get_it(tmp_path: Path) -> None:
    result = runner.invoke(app, ["train", "--dataset", str(tmp_path / "no.csv")])
    assert isinstance(result.exception, FareboxError)
    assert "no such file" in str(result.exception)
    assert "data/README.md" in str(result.exception)


def test_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ModuleNotFoundError(f"no {name}", name="sklearn")

    monkeypatch.setattr(training_commands, "import_module", fail)
    result = runner.invoke(app, ["evaluate"])
    assert isinstance(result.exception, FareboxError)
    assert "sklearn" in str(result.exception)
    assert ".[train]" in str(result.exception)
