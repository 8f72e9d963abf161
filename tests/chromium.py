"""A headless Chromium, driven over its own protocol, where one is installed."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

PATIENCE = 120
"""Seconds until something small is given up: a busy machine is no failure."""

_KEYS = {"Enter": 13, "Backspace": 8, "ArrowDown": 40, "ArrowUp": 38, "Tab": 9}


class NotNow(Exception):
    """The page did not answer: it is on its way to another address."""


class Browser:
    """A tab, spoken to over Chromium's own protocol."""

    def __init__(self, socket: websocket.WebSocket):
        self._socket, self._calls = socket, 0
        self.complaints: list[str] = []

    def call(self, method: str, **parameters: object) -> dict:
        """Call the protocol; what the page complains of meanwhile is noted.

        Raises
        ------
        NotNow
            The call was refused, as it is while the page changes.
        """
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise NotNow(answer["error"].get("message"))
                return answer["result"]
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.complaints.append(json.dumps(answer["params"]))

    def open(self, address: str, seconds: float = PATIENCE) -> None:
        """Go to a page and wait until it stands; it takes itself for the one that has the focus."""
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'", seconds)

    def run(self, code: str) -> object:
        """The value of some JavaScript."""
        found = self.call("Runtime.evaluate", expression=code, returnByValue=True)
        if "exceptionDetails" in found:
            raise AssertionError(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")

    def wait(self, code: str, seconds: float = PATIENCE) -> None:
        """Wait until some JavaScript is true."""
        until = time.monotonic() + seconds
        while not self._holds(code):
            if time.monotonic() > until:
                raise AssertionError(f"never came true: {code}")
            time.sleep(0.1)

    def _holds(self, code: str) -> bool:
        try:
            return bool(self.run(f"!!({code})"))  # objects of a page are too large to be sent
        except NotNow:
            return False

    def press(self, *keys: str) -> None:
        """Press keys one after the other, each by its name or letter."""
        for key in keys:
            code = _KEYS.get(key, ord(key.upper()[0]))
            text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
            parts = {"key": key, "windowsVirtualKeyCode": code}
            self.call("Input.dispatchKeyEvent", type="keyDown", **parts, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **parts)

    def drag(self, selector: str, *, by: int, steps: int = 10) -> None:
        """Take hold of the first element of a selector and move it to the right, in pixels."""
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x = float(str(self.run(f"{box}.x + {box}.width / 2")))
        y = float(str(self.run(f"{box}.y + {box}.height / 2")))
        self._mouse("mousePressed", x, y)
        for k in range(1, steps + 1):
            self._mouse("mouseMoved", x + by * k / steps, y)
        self._mouse("mouseReleased", x + by, y)

    def _mouse(self, kind: str, x: float, y: float) -> None:
        button = {"button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    def resize(self, *, width: int, height: int) -> None:
        """Give the window a size in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def screenshot(self, path: Path, *, width: int, height: int) -> None:
        """Write what a window of this size shows, as PNG."""
        self.resize(width=width, height=height)
        shot = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A running Chromium with an empty tab; its profile is kept in a folder."""
    command = [
        *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio"),
        *("--autoplay-policy=no-user-gesture-required", "--no-first-run", "--disable-extensions"),
        *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
    ]
    port_file = profile / "DevToolsActivePort"
    port_file.unlink(missing_ok=True)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while not port_file.exists() or not port_file.read_text().strip():
            if time.monotonic() > until or process.poll() is not None:
                raise AssertionError("Chromium does not start")
            time.sleep(0.05)
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (tab,) = [t for t in json.load(answer) if t["type"] == "page"]
        socket = websocket.create_connection(
            tab["webSocketDebuggerUrl"], suppress_origin=True, timeout=3 * PATIENCE
        )
        yield Browser(socket)
        socket.close()
    finally:
        process.terminate()
        process.wait(PATIENCE)
