"""Every notebook of the docs runs from its first cell to its last in a fresh kernel, and shows its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS: Final = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_shows_tables(path: Path, tmp_path: Path) -> None:
    """Each ends in cells that assert on the books; the kernel has a minute a cell."""
    notebook = nbformat.read(path, as_version=4)

    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()

    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    tables = [each for each in outputs if "<table" in each.get("data", {}).get("text/html", "")]
    assert len(tables) >= 4
    assert [each for each in outputs if each.get("name") == "stderr" or "Warning" in str(each)] == []


def test_a_notebook_is_kept_without_what_it_printed() -> None:
    """So that a change of a notebook is a change of what it says, and no name or amount of anybody's is kept in one."""
    assert len(NOTEBOOKS) >= 3
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert [cell.id for cell in cells if cell.get("outputs") or cell.get("execution_count")] == [], path.name


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_bars_are_drawn_in_a_notebook_without_widgets() -> None:
    lines = [
        "from xerosync.progress import progress",
        "with progress(after_s=0) as shown:",
        "    for page in (1, 2):",
        "        told = {'organisation': 'o', 'path': 'Contacts', 'page': page, 'pages': 9, 'rows': 5}",
        "        shown('xerosync.page_read', told)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("\n".join(lines))])

    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()

    (output,) = notebook.cells[0].outputs
    assert '<progress value="2" max="9">' in output["data"]["text/html"]
    assert "reading Contacts, pages 2 of 9" in output["data"]["text/html"]
