"""Pages of notebooks: equations and views as pictures, nothing fetched."""

import base64
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import v4

from repro.equations import equation_html
from repro.execute import execute
from repro.page import write_page

NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))
MATHS = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", re.DOTALL)
DOT = base64.b64encode(b"a picture").decode()


def page_of(tmp_path, *cells, source=None):
    tmp_path.mkdir(exist_ok=True)
    book = tmp_path / "book.ipynb"
    nbformat.write(v4.new_notebook(cells=list(cells)), book)
    return write_page(book, tmp_path / "book.html", source=source).read_text()


def output(**data):
    made = {kind.replace("__", "/"): value for kind, value in data.items()}
    return v4.new_output("display_data", data=made)


def view(**data):
    found = output(**data)
    found.data["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_equation_of_the_notebooks_is_drawn(path):
    cells = nbformat.read(path, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    equations = [a or b for text in texts for a, b in MATHS.findall(text)]
    assert all(equation_html(tex).startswith("<img") for tex in equations)


def test_an_equation_reads_as_its_tex_and_keeps_its_number():
    html = equation_html(r"\mathcal L = \bar S \tag{3}", apart=True)
    assert r'alt="\mathcal{L} = \bar S"' in html and "(3)" in html
    assert html == equation_html(r"\mathcal L = \bar S \tag{3}", apart=True)  # the same bytes


def test_what_cannot_be_drawn_is_shown_as_it_stands():
    assert equation_html(r"\nosuch<x>") == r"<code>\nosuch&lt;x&gt;</code>"


def test_a_page_fetches_nothing(tmp_path):
    html = page_of(tmp_path, v4.new_markdown_cell("Here $x_1$ and\n\n$$y = x^2 \\tag{1}$$"))
    assert html.count('<img alt="') == 2
    assert not re.search(r"<(script|link)[^>]*(src|href)=", html)


def test_dollars_in_code_are_no_equation(tmp_path):
    html = page_of(tmp_path, v4.new_markdown_cell("`echo $A$`"))
    assert "echo $A$" in html


def test_links_start_where_the_notebook_was(tmp_path):
    cell = v4.new_markdown_cell("[code](../repro/x.py) [far](https://example.org/)")
    html = page_of(tmp_path / "out", cell, source=tmp_path / "notebooks" / "book.ipynb")
    assert 'href="../notebooks/../repro/x.py"' in html
    assert 'href="https://example.org/"' in html


def test_a_view_is_its_picture_and_a_bar_nothing(tmp_path):
    cell = v4.new_code_cell("show()")
    cell.outputs = [view(image__png=DOT, text__plain="View()"), view(text__plain="bar: 0%")]
    html = page_of(tmp_path, cell)
    assert f"data:image/png;base64,{DOT}" in html
    assert "bar: 0%" not in html and "View()" not in html


def test_running_a_notebook_prints_no_warning_and_leaves_a_page(tmp_path, capfd):
    source = tmp_path / "sum.ipynb"
    given = v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]})
    nbformat.write(
        v4.new_notebook(
            cells=[given, v4.new_code_cell("a + 1")],
            metadata={"language_info": {"name": "python"}},
        ),
        source,
    )
    page = execute(source, tmp_path / "out.ipynb", parameters={"a": 41})
    cells = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert cells[-1].outputs[0].data["text/plain"] == "42"
    assert page.is_file()
    assert capfd.readouterr().err == ""
