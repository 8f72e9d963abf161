"""Views in JupyterLab and Voila, in a real browser: ``make browser``.

Screenshots go to the folder that BROWSER_SHOTS names; without it nothing here is run.
"""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from chromium import CHROMIUM, chromium
from nbformat import v4

SHOTS = os.environ.get("BROWSER_SHOTS")
PATIENCE = 900
"""Seconds until a notebook has run: a busy machine is no failure."""
CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHOTS, reason="run with `make browser`"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

VIEWS = """
import numpy as np
from repro.face.model import load_open_model
from repro.widgets import coefficient_explorer, histogram_brush, memory_inspector, motion_scrubber

rng = np.random.default_rng(0)
time = np.arange(100) / 25
frames = np.stack([np.full((120, 120, 3), 60 + t, np.uint8) for t in range(100)])
angles = 0.1 * np.sin(np.stack([time, 2 * time, 3 * time], axis=1))
"""
CELLS = (
    "coefficient_explorer(load_open_model())",
    "motion_scrubber(frames, {'yaw': {'real': angles[:, 1]}, 'pitch': {'real': angles[:, 0]}})",
    "histogram_brush(angles, {'half as far': angles / 2, 'still': 0 * angles})",
    """features = np.eye(3)[np.arange(100) // 34]
memory_inspector(frames, features + rng.normal(0, 0.2, (100, 3)), keys=np.eye(3),
                 values=np.eye(3), people={'anna': np.eye(3)[0], 'bert': np.eye(3)[1]})""",
)
TOKEN = secrets.token_hex(16)
BOOK = "[...jupyterapp.shell.widgets('main')].find((w) => w.sessionContext)"
CAN_RUN = "jupyterapp.commands.isEnabled('notebook:run-all-cells')"
IMAGES = "[...document.querySelectorAll('img.widget-image, .widget-image img')]"
READY = f"{IMAGES}.filter((i) => i.naturalWidth > 0).length >= {{count}}"
SOURCES = f"{IMAGES}.map((i) => i.src).join()"
HANDLE = ".widget-slider .noUi-handle"


@pytest.fixture
def views(tmp_path):
    """A notebook with a view in each cell."""
    cells = [v4.new_code_cell(text) for text in (VIEWS, *CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "views.ipynb"
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


@contextmanager
def served(module, *arguments, folder):
    """The address of a server of this Python's, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {f"JUPYTER_{name}_DIR": str(folder / name) for name in ("CONFIG", "RUNTIME")}
    kept |= {f"JUPYTERLAB_{n}_DIR": str(folder / n) for n in ("SETTINGS", "WORKSPACES")}
    path = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--no-browser", f"--port={port}", *arguments],
        cwd=folder, env={**os.environ, **kept, "PYTHONPATH": path}, stdout=log, stderr=log,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=60).close()
                break  # without asking for a page: Voila would run the notebook for it
            except OSError:
                if time.monotonic() > until or process.poll() is not None:
                    raise AssertionError((folder / "server.log").read_text()[-2000:]) from None
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # its own extensions at times hold it up for ever
            process.kill()
            process.wait()
        log.close()


def lab(folder):
    asked = folder / "SETTINGS" / "@jupyterlab" / "apputils-extension"
    asked.mkdir(parents=True)
    (asked / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    return served(
        "jupyterlab", f"--IdentityProvider.token={TOKEN}", "--allow-root",
        "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        f"--ServerApp.root_dir={folder}", folder=folder,
    )  # fmt: skip


def open_in_lab(browser, address, notebook):
    """Open a notebook and run all its cells."""
    browser.resize(width=1500, height=1300)
    browser.open(f"{address}/lab/tree/{notebook.name}?reset&token={TOKEN}", PATIENCE)
    browser.wait(f"window.jupyterapp && {BOOK}", PATIENCE)
    browser.wait(f"{BOOK}.sessionContext.session?.kernel?.status === 'idle'", PATIENCE)
    browser.wait(f"jupyterapp.shell.activateById({BOOK}.id), {CAN_RUN}", PATIENCE)
    browser.run("void jupyterapp.commands.execute('notebook:run-all-cells')")


@contextmanager
def tab(folder):
    """A browser; what it shows when a test fails is kept."""
    with chromium(folder / "browser") as browser:
        try:
            yield browser
        except Exception:
            shot(browser, "failed")
            raise


def shot(browser, name):
    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    browser.screenshot(Path(SHOTS) / f"{name}.png", width=1500, height=1300)


def move_a_slider(browser, name):
    """Views stand there; dragging the first slider changes a picture."""
    browser.wait(READY.format(count=len(CELLS)), PATIENCE)
    before = browser.run(SOURCES)
    shot(browser, f"{name}_before")
    browser.drag(HANDLE, by=40)
    browser.wait(f"{SOURCES} !== {before!r}")
    while before != (before := browser.run(SOURCES)):  # until no further picture comes
        time.sleep(2)
    shot(browser, f"{name}_after")


def test_views_run_in_jupyterlab_and_a_slider_moves_the_face(views, tmp_path):
    with lab(tmp_path) as address, tab(tmp_path) as browser:
        open_in_lab(browser, address, views)
        move_a_slider(browser, "lab")


@pytest.mark.skipif(not importlib.util.find_spec("voila"), reason="Voila is not installed")
def test_voila_serves_the_same_views_without_their_code(views, tmp_path):
    with (
        served("voila", str(views), "--Voila.ip=127.0.0.1", folder=tmp_path) as address,
        tab(tmp_path) as browser,
    ):
        browser.resize(width=1500, height=1300)
        browser.open(address, PATIENCE)  # the page stands when its cells have run
        move_a_slider(browser, "voila")
        assert "coefficient_explorer" not in browser.run("document.body.innerText")


def test_the_quickstart_is_run_and_clicked_in_jupyterlab(smoke_run, tmp_path):
    notebook = tmp_path / "00_quickstart.ipynb"
    shutil.copy(CHECKOUT / "notebooks" / notebook.name, notebook)
    book = nbformat.read(notebook, as_version=4)
    (given,) = [cell for cell in book.cells if "parameters" in cell.metadata.get("tags", [])]
    given.source += f"\nresults_dir = {str(smoke_run.parents[1])!r}"
    nbformat.write(book, notebook)
    videos = "document.querySelectorAll('.widget-video, video').length"
    button = (
        "[...document.querySelectorAll('button')].find((b) => /make the video/.test(b.innerText))"
    )
    with lab(tmp_path) as address, tab(tmp_path) as browser:
        open_in_lab(browser, address, notebook)
        browser.wait(f"{videos} >= 2", PATIENCE)
        made = (smoke_run / "quickstart.mp4").stat().st_mtime_ns
        browser.run(f"{button}.scrollIntoView()")
        browser.run(f"{button}.click()")
        browser.wait(f"{button}.disabled")
        browser.wait(f"!{button}.disabled", PATIENCE)
        assert (smoke_run / "quickstart.mp4").stat().st_mtime_ns > made
        shot(browser, "quickstart")
