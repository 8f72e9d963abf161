"""A notebook that was run, as one HTML file that needs no network: pictures in place of views."""

import os
from pathlib import Path

import nbformat
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

from repro.equations import equation_html
from repro.files import atomic_path

_VIEW = "application/vnd.jupyter.widget-view+json"
_SHOWN = ("text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain")
"""Kinds of output that a page can hold, the best first."""

_TEMPLATE = """
{%- extends 'index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block html_head_css -%}
<style>
main { max-width: 1000px; margin: 0 auto; }
.jp-RenderedHTMLCommon table { font-size: 80%; }
.jp-OutputArea-output { overflow-x: auto; }
</style>
{%- endblock -%}
"""


class _Renderer(IPythonRenderer):
    """Markdown whose equations are pictures and whose relative links start at ``folder``."""

    def __init__(self, folder: str):
        super().__init__(escape=False)
        self._folder = folder

    def inline_math(self, body: str) -> str:
        return equation_html(body)

    def block_math(self, body: str) -> str:
        return equation_html(body, apart=True)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        inside = url.startswith(("#", "/")) or ":" in url
        return super().link(text, url if inside else f"{self._folder}/{url}", title)


class _Exporter(HTMLExporter):
    """nbconvert's page, without what it would fetch."""

    folder = "."

    @pass_context
    def markdown2html(self, context, source):
        return MarkdownWithMath(renderer=_Renderer(self.folder)).render(source)


def write_page(notebook: Path, page: Path, *, source: Path | None = None) -> Path:
    """Write a notebook that was run as one HTML file; returns its path.

    Parameters
    ----------
    notebook : with outputs; views are shown as their pictures, progress bars are left out
    page : the file to write
    source : where the notebook was before it was run: its relative links start there
    """
    book = nbformat.read(notebook, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _only_a_view(output)]
    exporter = _Exporter(
        raw_template=_TEMPLATE,
        config=Config(NbConvertBase={"display_data_priority": list(_SHOWN)}),
    )
    home = notebook if source is None else source
    exporter.folder = os.path.relpath(home.resolve().parent, page.resolve().parent)
    resources = {"metadata": {"name": notebook.stem}}
    body, _ = exporter.from_notebook_node(book, resources=resources)
    with atomic_path(page) as temporary:
        temporary.write_text(body, encoding="utf-8")
    return page


def _only_a_view(output) -> bool:
    """A widget that left nothing to be looked at, such as a progress bar."""
    data = output.get("data", {})
    return _VIEW in data and not any(kind.startswith(("image/", "text/html")) for kind in data)
