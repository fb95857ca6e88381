"""Results of many apps: complete, in the file's order, and no formulas for spreadsheets."""

import csv
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from frontend.pages.many.faults import Fault, FaultKind
from frontend.pages.many.jobs import begin_notes, cut_parts, find_notes
from frontend.pages.many.outcome import (
    Outcome,
    make_outcome,
    name_file,
    write_csv,
    write_faults,
    write_parquet,
)
from frontend.pages.many.quotes import Quote
from frontend.pages.many.uploads import Upload, read_upload
from frontend.results import ResultFiles

ACCOUNT = "01a22240-9e21-770d-918f-58ba951bcb23"
LEFT_OUT = "left out"


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    path = tmp_path / "Мой файл, apps.csv"
    path.write_text("probability,name,CAMERA\nx,=HYPERLINK(1),1\ny,-1,9\n,@a,0\n+z,b,1\n")
    return read_upload(path, ["CAMERA", "INTERNET"], rows_max=10, bytes_max=10_000)


@pytest.fixture
def outcome(upload: Upload) -> Outcome:
    of_good = np.array([0.1, 0.9, 0.5])
    return make_outcome(upload, of_good, labels=("good", "bad"), threshold=0.5)


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_csv_has_every_row_in_the_files_order_and_no_formula(
    outcome: Outcome, tmp_path: Path
) -> None:
    write_csv(outcome, tmp_path / "out.csv", LEFT_OUT)
    assert read_csv(tmp_path / "out.csv") == [
        ["line", "probability_", "name", "predicted_label", "probability", "fault"],
        ["2", "x", "'=HYPERLINK(1)", "good", "0.1", ""],
        ["3", "y", "'-1", "", "", LEFT_OUT],
        ["4", "", "'@a", "bad", "0.9", ""],
        ["5", "'+z", "b", "bad", "0.5", ""],
    ]


def test_the_parquet_says_the_same(outcome: Outcome, tmp_path: Path) -> None:
    write_parquet(outcome, tmp_path / "out.parquet", LEFT_OUT)
    table = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert table["line"] == [2, 3, 4, 5]
    assert table["name"] == ["=HYPERLINK(1)", "-1", "@a", "b"]
    assert table["predicted_label"] == ["good", None, "bad", "bad"]
    assert table["probability"] == [0.1, None, 0.9, 0.5]
    assert table["fault"] == ["", LEFT_OUT, "", ""]


def test_rows_are_counted_by_label_from_the_threshold_on(outcome: Outcome) -> None:
    assert (outcome.positives, outcome.negatives) == (2, 1)
    assert math.isnan(outcome.probabilities[1])


def test_the_first_rows_are_the_most_suspicious_or_those_of_the_file(outcome: Outcome) -> None:
    assert outcome.first_rows(2, suspicious_first=True) == [2, 3]
    assert outcome.first_rows(2, suspicious_first=False) == [0, 2]


def test_faults_are_written_without_formulas(tmp_path: Path) -> None:
    fault = Fault(3, "=CAMERA", "@x", FaultKind.VALUE)
    write_faults([fault], tmp_path / "f.csv", ["line", "column", "found", "mend"], ["Write 0."])
    assert read_csv(tmp_path / "f.csv")[1] == ["3", "'=CAMERA", "'@x", "Write 0."]


def test_names_of_files_are_names_that_can_be_downloaded(upload: Upload, tmp_path: Path) -> None:
    name = name_file(upload, "checked", "csv")
    assert name == f"checked-apps-{upload.sha256[:8]}.csv"
    assert ResultFiles(tmp_path, 60).place(ACCOUNT, name).name == name


def test_notes_of_a_job_are_found_by_the_file_and_keep_the_first_version(
    upload: Upload, tmp_path: Path
) -> None:
    files = ResultFiles(tmp_path / "results", 60)
    parts = cut_parts(upload.packed[upload.good])
    assert find_notes(files, ACCOUNT, upload) is None
    begun = begin_notes(files, ACCOUNT, upload, "m", "1")
    begun.sent.add(0)
    begun.save()
    found = begin_notes(files, ACCOUNT, upload, "m", "1")
    assert (found.model, found.version, found.began_at) == ("m", "1", begun.began_at)
    assert found.due_rows(parts) == (3, 0)
    found.answered.add(0)
    assert found.due_rows(parts) == (0, 0)
    assert begin_notes(files, ACCOUNT, upload, "m", "2").sent == set()


def test_damaged_notes_are_no_notes(upload: Upload, tmp_path: Path) -> None:
    files = ResultFiles(tmp_path / "results", 60)
    begin_notes(files, ACCOUNT, upload, "m", "1").path.write_text("{")
    assert find_notes(files, ACCOUNT, upload) is None


def test_a_quote_is_exact_and_says_what_is_lacking() -> None:
    quote = make_quote(due_rows=100_000, sure_rows=100_000, available="9999.999999")
    assert quote.amount == Decimal("10000.000000")
    assert quote.lacking == Decimal("0.000001")


def test_rows_that_may_be_paid_already_do_not_keep_a_job_from_going_on() -> None:
    quote = make_quote(due_rows=2048, sure_rows=1024, available="102.4")
    assert quote.amount == Decimal("204.8")
    assert quote.lacking == 0
    assert quote.is_begun


def make_quote(*, due_rows: int, sure_rows: int, available: str) -> Quote:
    return Quote(
        model="m",
        version="1",
        each=Decimal("0.1"),
        rows=100_000,
        due_rows=due_rows,
        sure_rows=sure_rows,
        available=Decimal(available),
    )
