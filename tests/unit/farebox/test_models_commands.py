"""`farebox models`: what the commands print, and how they exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from farebox import cli, models_commands
from models.errors import ModelError, PublishRefused
from models.manifest import Manifest
from models.registry import read_catalog
from tests.support.fragile_model import render_model
from tests.support.publishable import make_key_pair, publish_versions, write_source

runner = CliRunner()


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models that the commands work on."""
    root = tmp_path / "registry"
    monkeypatch.setenv("FAREBOX_MODELS_DIR", str(root))
    monkeypatch.delenv("FAREBOX_MODELS_PUBLIC_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    return root


def run(*arguments: str | Path) -> Result:
    return runner.invoke(cli.app, ["models", *map(str, arguments)])


def say(*arguments: str | Path) -> str:
    """What a command prints that succeeds."""
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def fail(*arguments: str | Path) -> ModelError:
    """The error that the entry point prints, without a traceback."""
    error = run(*arguments).exception
    assert isinstance(error, ModelError)
    return error


def test_from_a_model_file_to_a_champion(root: Path, tmp_path: Path) -> None:
    (tmp_path / "given.txt").write_text(render_model())
    (tmp_path / "examples.json").write_text(json.dumps([["SEND_SMS"], [0, 1, 0], []]))
    words = ["--name", "mine", "--positive", "spam", "--negative", "ham", "--threshold", "0.6"]
    said = say("draft", "given.txt", *words, "--examples", "examples.json")
    assert "0.7311       spam" in said
    assert "1 of 3 present" in said
    assert "none present" in said
    assert "next: farebox models publish mine-1" in said
    assert "mine 1 is published, champion" in say("publish", "mine-1")
    again = say("draft", "given.txt", *words, "--examples", "examples.json")
    assert "mine-2" in again
    said = say("publish", "mine-2")
    assert "mine 2 is published, on request" in said
    assert "next: farebox models shadow|canary|promote mine 2" in said


def test_trial_promotion_rollback_and_retirement(root: Path) -> None:
    publish_versions(root, "1", "2", "3")
    assert say("shadow", "tiny", "2") == ("tiny: 1 is the champion; 2 scores in the shadow\n")
    assert say("canary", "tiny", "2", "--percent", "10") == (
        "tiny: 1 is the champion; 2 answers 10 % of accounts and scores in the shadow\n"
    )
    listed = say("list")
    assert "canary 10 %, shadow" in listed
    assert "on request" in listed
    assert say("shadow", "tiny", "--stop") == (
        "tiny: 1 is the champion; 2 answers 10 % of accounts\n"
    )
    assert say("canary", "tiny", "--stop") == "tiny: 1 is the champion\n"
    assert say("promote", "tiny", "2") == "tiny: 2 is the champion\n"
    assert say("rollback", "tiny") == "tiny: 1 is the champion\n"
    assert say("retire", "tiny", "3") == "tiny: 1 is the champion; retired: 3\n"
    assert "retired" in say("list")
    assert say("retire", "tiny", "3", "--undo") == "tiny: 1 is the champion\n"
    shown = say("show", "tiny")
    assert shown.startswith("tiny 1 (lightgbm), champion\n")
    assert "rollback" in shown


def test_what_does_not_follow_is_an_error_that_says_why(root: Path) -> None:
    publish_versions(root, "1", "2")
    assert "is the champion" in str(fail("retire", "tiny", "1"))
    assert "no champion before" in str(fail("rollback", "tiny"))
    assert "there is: 1, 2" in str(fail("promote", "tiny", "9"))
    assert "there is: tiny" in str(fail("show", "elk"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["canary", "tiny"],
        ["canary", "tiny", "2"],
        ["canary", "tiny", "--percent", "5"],
        ["canary", "tiny", "2", "--percent", "0"],
        ["canary", "tiny", "2", "--percent", "101"],
        ["canary", "tiny", "2", "--percent", "5", "--stop"],
        ["shadow", "tiny"],
        ["shadow", "tiny", "2", "--stop"],
    ],
)
def test_half_a_command_is_a_usage_error(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_nothing_published_yet_is_said(root: Path) -> None:
    root.mkdir()
    assert "no models in" in say("list")


def test_broken_version_is_listed_as_unreadable(root: Path) -> None:
    publish_versions(root, "1")
    (root / "tiny" / "2").mkdir()
    said = say("list")
    assert "champion" in said
    assert "unreadable: " in said


def test_verify_exits_with_1_and_names_the_fault(root: Path) -> None:
    publish_versions(root, "1", "2")
    assert say("verify") == "ok     tiny 1\nok     tiny 2\nok     tiny rollout\n"
    (root / "tiny" / "2" / "model.txt").write_text("other")
    result = run("verify")
    assert result.exit_code == 1
    assert "FAULT  tiny 2: " in result.stdout
    assert "ok     tiny 1" in result.stdout


def test_signed_version_is_published_where_a_key_is_trusted(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = make_key_pair(tmp_path / "keys")
    source = write_source(tmp_path / "drafts")
    monkeypatch.setenv("FAREBOX_MODELS_PUBLIC_KEY", str(public))
    assert fail("publish", source).code == "signature_invalid"
    assert say("sign", source, "--key", private) == f"signed {source}\n"
    say("publish", source)
    assert "signature  yes" in say("show", "tiny")


def test_price_is_set_before_the_version_can_be_asked(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_source(tmp_path / "drafts")
    priced: list[tuple[str, str, bool]] = []

    def note(manifest: Manifest, amount: object) -> None:
        priced.append((manifest.name, str(amount), (root / "tiny").exists()))

    monkeypatch.setattr(models_commands, "_set_price", note)
    said = say("publish", source, "--credits", "0.25")
    assert "an instance costs 0.25 credits" in said
    assert priced == [("tiny", "0.25", False)]


def test_unfit_version_gets_no_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_source(tmp_path / "drafts")
    (source / "model.txt").write_text("other")

    def refuse(*_: object) -> None:
        raise AssertionError("priced")

    monkeypatch.setattr(models_commands, "_set_price", refuse)
    assert fail("publish", source, "--credits", "1").code == "artifact_mismatch"
    assert run("publish", source, "--credits", "-1").exit_code == 2


def test_published_number_is_not_used_twice(root: Path, tmp_path: Path) -> None:
    publish_versions(root, "1")
    other = write_source(tmp_path / "drafts")
    manifest = (other / "manifest.json").read_text()
    (other / "manifest.json").write_text(manifest.replace("2026-01-01", "2027-01-01"))
    assert isinstance(fail("publish", other), PublishRefused)
    assert read_catalog(root).find("tiny").created_at.year == 2026


@pytest.mark.parametrize("content", ["{", "[]", "[1]", '{"a": 1}', None])
def test_examples_are_a_list_of_lists(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "given.txt").write_text(render_model())
    if content is not None:
        (tmp_path / "examples.json").write_text(content)
    words = ["--name", "mine", "--positive", "p", "--negative", "n", "--threshold", "0.6"]
    result = run("draft", "given.txt", *words, "--examples", "examples.json")
    assert result.exit_code == 2
    assert "examples.json" in result.output.replace("\n", "")


@pytest.mark.parametrize(
    "content", ["POISON\nINTERNET\n\nSEND_SMS\n", '["POISON", "INTERNET", "SEND_SMS"]']
)
def test_features_are_lines_or_a_json_list(tmp_path: Path, content: str) -> None:
    (tmp_path / "given.txt").write_text(render_model())
    (tmp_path / "examples.json").write_text("[[]]")
    (tmp_path / "features").write_text(content)
    words = ["--name", "mine", "--positive", "p", "--negative", "n", "--threshold", "0.6"]
    say("draft", "given.txt", *words, "--examples", "examples.json", "--features", "features")
