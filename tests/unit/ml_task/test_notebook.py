"""The notebook: it runs on the real data set, is committed with outputs, and stops without data."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from ml_task.notebook import DATASET, FULL, PLAN, QUICK, NoData, choose_depth, open_dataset
from tests.support.datasets import find_real_file

PROJECT = Path(__file__).parents[3]
NOTEBOOK = PROJECT / "ml_task" / "android_malware.ipynb"
BYTES_MAX = 2_000_000
CELL_SECONDS_MAX = 120


def read_notebook() -> NotebookNode:
    """The committed notebook."""
    found: NotebookNode = nbformat.read(NOTEBOOK, as_version=4)
    return found


def run(notebook: NotebookNode) -> None:
    """Execute it in place, in a kernel of its own."""
    where = {"metadata": {"path": str(PROJECT)}}
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS_MAX, kernel_name="python3", resources=where
    )
    client.execute()


def test_notebook_runs_on_the_real_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATASET, str(find_real_file()))
    monkeypatch.setenv(PLAN, "quick")
    notebook = read_notebook()
    run(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10


def test_notebook_stops_with_a_clear_line_without_the_data_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(DATASET, str(tmp_path / "no.csv"))
    with pytest.raises(CellExecutionError, match="Stopped: there is no data set to tell of"):
        run(read_notebook())


def test_notebook_is_committed_with_its_outputs_and_no_path_of_a_machine() -> None:
    content = NOTEBOOK.read_text(encoding="utf-8")
    assert len(content) < BYTES_MAX
    assert not any(path in content for path in (str(PROJECT), "/home/", "/root/", "/tmp/", ".venv"))
    code = [cell for cell in read_notebook().cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code)
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)


def test_depth_is_full_unless_quick_is_asked_for() -> None:
    assert choose_depth({}) is FULL
    assert choose_depth({PLAN: "quick"}) is QUICK


def test_missing_data_set_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoData) as caught:
        open_dataset({DATASET: str(tmp_path / "no.csv")})
    assert "no such file" in str(caught.value)
    assert "\n" not in str(caught.value)
