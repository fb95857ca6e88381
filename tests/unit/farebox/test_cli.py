"""The commands: what they take, what they print and how they exit."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from billing.reconcile import Breach, Report
from farebox import cli
from farebox.errors import FareboxError
from tests.support.local_server import local_server

runner = CliRunner()

COMMANDS = [
    ["up"],
    ["down"],
    ["score"],
    ["reconcile"],
    ["prune"],
    ["migrate"],
    ["deploy"],
    ["console"],
    ["drift"],
    ["train"],
    ["evaluate"],
    ["admin", "create"],
    ["keys", "create"],
    ["keys", "revoke"],
    ["models", "list"],
    ["models", "show"],
    ["models", "draft"],
    ["models", "publish"],
    ["models", "promote"],
    ["models", "canary"],
    ["models", "shadow"],
    ["models", "rollback"],
    ["models", "retire"],
    ["models", "differences"],
    ["models", "verify"],
    ["models", "sign"],
    ["prices", "set"],
    ["reports", "rebuild"],
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which nothing runs, and no variables that say otherwise."""
    monkeypatch.setenv("FAREBOX_HOME", str(tmp_path))
    for name in ("FAREBOX_URL", "FAREBOX_API_KEY", "FAREBOX_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run_main(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    """The exit code and the error output of the entry point itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["farebox", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
    return caught.value.code, capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(command: list[str]) -> None:
    result = runner.invoke(cli.app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    lines = [line for line in result.output.splitlines() if line.strip()]
    assert len(lines) > 1
    assert lines[1].strip(), "a sentence of its own"


def test_no_command_is_left_out_of_these_tests() -> None:
    registered = {(each.name or each.callback.__name__) for each in cli.app.registered_commands}  # type: ignore[union-attr]
    assert registered == {command[0] for command in COMMANDS if len(command) == 1}
    groups = {group.name for group in cli.app.registered_groups}
    assert groups == {"admin", "keys", "models", "prices", "reports"}


def test_without_a_command_the_help_is_shown() -> None:
    assert "reconcile" in runner.invoke(cli.app, []).output


@pytest.mark.parametrize("amount", ["-1", "1e3", "0.0000001", "many", "1,5", ""])
@pytest.mark.parametrize(
    "command", [["keys", "create", "--account", "a"], ["prices", "set", "m"]], ids=["key", "price"]
)
def test_a_bad_amount_is_refused_before_anything_is_started(
    command: list[str], amount: str, home: Path
) -> None:
    result = runner.invoke(cli.app, [*command, f"--credits={amount}"])
    assert result.exit_code == 2
    assert "credits" in result.output
    assert "Traceback" not in result.output
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("moment", ["2020-01-01", "tomorrow", "2040-13-01"])
def test_a_price_is_for_a_time_to_come(moment: str, home: Path) -> None:
    result = runner.invoke(cli.app, ["prices", "set", "m", "--credits=1", "--from", moment])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("moment", ["2040-01-31T12:00", "2040-01-31T14:00+02:00"])
def test_a_price_to_come_is_told_with_its_time_in_utc(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "_with_database", lambda _: None)
    result = runner.invoke(cli.app, ["prices", "set", "m", "--credits=2", "--from", moment])
    assert result.stdout == (
        "m (all versions): 2 credits an instance from 2040-01-31 12:00:00 UTC\n"
    )


def test_a_price_says_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_with_database", lambda _: None)
    command = ["prices", "set", "m", "--credits=2", "--operation"]
    told = runner.invoke(cli.app, [*command, "explain"]).stdout
    assert told == "m (all versions): 2 credits an instance to explain\n"
    assert runner.invoke(cli.app, [*command, "guess"]).exit_code == 2


def test_explained_answers_are_printed_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    contributions = [
        {"feature": "[SEND_SMS]", "value": 1, "contribution": 1.5},
        {"feature": "INTERNET", "value": 0, "contribution": -0.5},
    ]
    explanation = {"base": 1, "raw_score": 2.25, "contributions": contributions, "rest": 0.25}
    answer = {
        "id": "x",
        "predictions": [{"label": "malware", "probability": 0.9, "explanation": explanation}],
        "credits_charged": "2",
        "credits_balance": "98",
    }
    with local_server(lambda _: (200, answer)) as server:
        monkeypatch.setenv("FAREBOX_URL", server.url)
        monkeypatch.setenv("FAREBOX_API_KEY", "k")
        result = runner.invoke(cli.app, ["score", "SEND_SMS", "--explain"])
    assert server.asked[0].json["explain"] is True
    assert result.stdout.splitlines() == [
        "instance 1: malware, probability 0.900 (log-odds +2.25)",
        "    +1.00  before any feature is looked at",
        "    +1.50  has [SEND_SMS]",
        "    -0.50  has not INTERNET",
        "    +0.25  all other features",
        "2 credits charged, 98 left; id x",
    ]


@pytest.mark.parametrize("hours", ["0", "-1", "x"])
def test_answers_cannot_be_pruned_before_they_are_an_hour_old(hours: str) -> None:
    assert runner.invoke(cli.app, ["prune", f"--hours={hours}"]).exit_code == 2


@pytest.mark.parametrize("arguments", [[], ["SEND_SMS", "--file", "x.json"]])
def test_score_takes_features_or_a_file_and_not_both(arguments: list[str]) -> None:
    result = runner.invoke(cli.app, ["score", *arguments])
    assert result.exit_code == 2
    assert "not both" in result.output


def test_score_prints_the_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "apps.json"
    file.write_text('[["SEND_SMS"], []]')
    with local_server(lambda _: (200, {"id": "[x]"})) as server:
        monkeypatch.setenv("FAREBOX_URL", server.url)
        monkeypatch.setenv("FAREBOX_API_KEY", "k")
        results = [
            runner.invoke(cli.app, ["score", "SEND_SMS", "INTERNET"]),
            runner.invoke(cli.app, ["score", "--file", str(file), "--model", "m"]),
            runner.invoke(
                cli.app, ["score", "--file", "-", "--idempotency-key", "i"], input="[[]]"
            ),
        ]
    assert [json.loads(result.stdout) for result in results] == [{"id": "[x]"}] * 3
    assert [asked.json for asked in server.asked] == [
        {"model": "android-malware", "instances": [["SEND_SMS", "INTERNET"]]},
        {"model": "m", "instances": [["SEND_SMS"], []]},
        {"model": "android-malware", "instances": [[]]},
    ]
    assert server.asked[2].headers["idempotency-key"] == "i"


@pytest.mark.parametrize("content", [None, "[["])
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("apps.json").write_text(content)
    result = runner.invoke(cli.app, ["score", "--file", "apps.json"])
    assert result.exit_code == 2
    assert "apps.json" in result.output
    assert "Traceback" not in result.output


def test_nothing_to_stop_is_said(home: Path) -> None:
    result = runner.invoke(cli.app, ["down"])
    assert (result.exit_code, result.stdout) == (0, "nothing was running\n")
    assert list(home.iterdir()) == []


def test_an_error_that_a_person_can_mend_has_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = run_main(capsys, "score", "SEND_SMS")
    assert code == 1
    assert said.startswith("error: no product was started here yet")
    assert "Traceback" not in said


@pytest.mark.parametrize("words", ["unknown feature [/b]", "[bold]x[/bold]", "[raylet] [a]"])
def test_an_errors_words_are_printed_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    def fail(*_: object) -> None:
        raise FareboxError(words)

    monkeypatch.setattr(cli, "end_leftovers", fail)
    assert run_main(capsys, "down") == (1, f"error: {words}\n")


def reconcile_with(report: Report, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """`farebox reconcile` on a database that gives this report."""
    monkeypatch.setattr(cli, "_with_database", lambda _: report)
    result = runner.invoke(cli.app, ["reconcile"])
    return result.exit_code, result.stdout, result.stderr


def test_a_clean_ledger_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, warned = reconcile_with(
        Report({"entries": 12}, ("rule_one", "rule_two"), ()), monkeypatch
    )
    assert code == 0
    assert "12 entries" in said
    assert "rule_two" in said
    assert "the ledger is clean" in said
    assert warned == ""


def test_a_broken_rule_exits_with_1_and_names_rule_and_examples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    breach = Breach("rule_two", 3, ("id-1", "id-2"))
    code, said, warned = reconcile_with(
        Report({"entries": 12}, ("rule_one", "rule_two"), (breach,)), monkeypatch
    )
    assert code == 1
    assert "clean" not in said
    assert "rule_two: 3" in warned
    assert "id-2" in warned


def test_a_fresh_key_alone_goes_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_with_database", lambda _: "fb_live_x")
    result = runner.invoke(cli.app, ["keys", "create", "--account", "a", "--credits", "0.5"])
    assert (result.exit_code, result.stdout) == (0, "fb_live_x\n")
    assert "0.5 credits" in result.stderr


def test_a_key_that_is_not_live_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_with_database", lambda _: False)
    code, said = run_main(capsys, "keys", "revoke", "nobody")
    assert code == 1
    assert "no live key nobody" in said


def test_an_admins_address_is_checked_before_anything_is_started(home: Path) -> None:
    result = runner.invoke(cli.app, ["admin", "create", "--email", "nobody"])
    assert result.exit_code == 2
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(("provider", "says_so"), [(None, True), ("test", True), ("stripe", False)])
def test_a_start_says_that_no_money_moves_where_none_does(
    provider: str | None,
    says_so: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FAREBOX_PAYMENT_PROVIDER", raising=False)
    if provider:
        monkeypatch.setenv("FAREBOX_PAYMENT_PROVIDER", provider)
    with cli.out.capture() as captured:
        cli._print_demo(cli.Demo("http://127.0.0.1:8000", "fb_live_x"), cli.ProductSettings())
    assert ("no money moves" in captured.get()) is says_so
