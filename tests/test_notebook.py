"""The notebook runs from top to bottom, and holds no output."""

import pathlib

import nbclient
import nbformat
import pytest

NOTEBOOK = pathlib.Path(__file__).parents[1] / "notebooks" / "replication.ipynb"
LITTLE = (
    "'dataset={name: synthetic, users: 80, items: 60, rows: 2000}' training.epochs=2 "
    "training.batch_size=500 training.refit=false evaluation.protocols=[full] "
    "export.golden_requests=2"
)


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def executed(notebook: nbformat.NotebookNode, cwd: pathlib.Path) -> str:
    """Runs every cell; what they print and show as text."""
    options = {"timeout": 1_800, "resources": {"metadata": {"path": str(cwd)}}}
    nbclient.NotebookClient(notebook, kernel_name="python3", **options).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not any(output.get("name") == "stderr" for output in outputs)
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs
    )


def test_it_holds_no_output(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]

    assert code
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_it_runs_on_little_without_what_the_joint_model_is_compared_with(notebook, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_SETTINGS", LITTLE)
    (place,) = (n for n, cell in enumerate(notebook.cells) if "RECIPES = {" in cell.source)
    notebook.cells[place].source += "\nRECIPES = {}"

    told = executed(notebook, NOTEBOOK.parent)

    assert "synthetic (80 users, 60 items, 2000 rows, seed 42): 2,000 rows" in told
    assert "told of by: user" in told
    assert "items, those seen left out" in told


@pytest.mark.slow
def test_it_runs_as_it_is_also_from_the_top_of_the_checkout(notebook, monkeypatch):
    monkeypatch.setenv("NOTEBOOK_SETTINGS", LITTLE)

    told = executed(notebook, NOTEBOOK.parents[1])

    assert all(name in told for name in ("joint", "retrieval alone", "rating alone", "ids alone"))
