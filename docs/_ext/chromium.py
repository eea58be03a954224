"""A headless Chromium that is driven as a person would: by what stands on buttons, links and fields."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias, cast

Json: TypeAlias = dict[str, object]

OPTIONS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_QUIET: Final = ("--hide-scrollbars", "--no-first-run", "--disable-extensions", "--disable-background-networking")
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE_S: Final = 30.0
# Chromium takes its orders from the descriptors 3 and 4: no port, and no client of WebSockets, is needed for that.
_LAUNCH: Final = (
    "import os, sys; [os.dup2(int(sys.argv[i]), i + 2) for i in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"
)
_FIND: Final = """
(kinds, name) => {
  const plain = text => (text || "").replace(/\\s+/g, " ").trim();
  const isName = node => node.nodeType === Node.TEXT_NODE || !node.matches("input, select, .quiet");
  const words = nodes => plain([...nodes].filter(isName).map(node => node.textContent).join(" "));
  const label = each => plain([...(each.labels || [])].map(one => words(one.childNodes)).join(" "));
  const names = each => [plain(each.getAttribute("aria-label")), label(each), plain(each.textContent)];
  const called = each => each.checkVisibility() && names(each).includes(name);
  const found = [...document.querySelectorAll(kinds)].find(called);
  if (!found) throw new Error(`nothing visible is called ${name}`);
  found.scrollIntoView({block: "center", behavior: "instant"});
  return found;
}
"""
_PLACE: Final = """
function() {
  const box = this.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
  const top = document.elementFromPoint(x, y);
  if (top !== this && !this.contains(top) && !top?.contains(this)) throw new Error("something lies over it");
  return [x, y];
}
"""
_SET: Final = """
function(value) {
  const option = this.options && [...this.options].find(each => each.textContent.trim() === value);
  if (this.options && !option) throw new Error(`there is no choice ${value}`);
  this.value = option ? option.value : value;
  this.dispatchEvent(new Event("change", {bubbles: true}));
}
"""


def browser() -> str | None:
    """Where Chromium is; None where there is none."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


class NotThere(Exception):
    """What was to be clicked or read is not on the page."""


class Tab:
    """One tab of a Chromium that listens on *orders* and answers on *answers*."""

    def __init__(self, orders: int, answers: int) -> None:
        self._orders = orders
        self._answers = answers
        self._unread = b""
        self._last = 0
        self._events: deque[str] = deque()
        self._session = ""
        pages = cast(list[dict[str, str]], self._ask("Target.getTargets")["targetInfos"])
        target = next(each["targetId"] for each in pages if each["type"] == "page")
        self._session = str(self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        self._ask("Page.enable")

    def resize(self, width: int, height: int) -> None:
        """Make the window so many pixels large."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, address: str) -> None:
        """Go to *address*, and wait until it is there."""
        self._events.clear()
        self._ask("Page.navigate", url=address)
        self._loaded()

    def press(self, name: str) -> None:
        """Press the button of this *name*, and wait for the page that comes of it."""
        self._events.clear()
        self._click("button", name)
        self._loaded()

    def follow(self, name: str) -> None:
        """Click the link of this *name*, and wait for the page it leads to."""
        self._events.clear()
        self._click("a", name)
        self._loaded()

    def unfold(self, name: str) -> None:
        """Unfold what is folded under *name*."""
        self._click("summary", name)

    def tick(self, name: str) -> None:
        """Tick, or untick, the box of this *name*."""
        self._click("input[type=checkbox], input[type=radio]", name)

    def write(self, name: str, text: str) -> None:
        """Write *text* into the field of this *name*, in the place of what stands there."""
        field = self._click("input, textarea", name)
        self._call("function() { this.select() }", field)
        self._ask("Input.insertText", text=text)

    def choose(self, name: str, value: str) -> None:
        """Choose *value* in the list, or as the day, of this *name*."""
        self._call(_SET, self._found("select, input[type=date]", name), value)

    def upload(self, name: str, file: Path) -> None:
        """Give *file* to the field of this *name*."""
        self._ask("DOM.setFileInputFiles", files=[str(file)], objectId=self._found("input[type=file]", name))

    def text(self, selector: str = "main") -> str:
        """What can be read in what *selector* names, on one line."""
        return str(
            self.script(f"document.querySelector({json.dumps(selector)}).innerText.replace(/\\s+/g, ' ').trim()")
        )

    def script(self, expression: str) -> object:
        """The value of *expression* in the page."""
        asked = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return _value(asked).get("value")

    def picture(self, *, width: int, heights: tuple[int, int]) -> bytes:
        """The page as it looks now, as PNG: as high as what is on it, within *heights*."""
        self.resize(width, heights[0])
        height = cast(int, self.script("document.documentElement.scrollHeight"))
        self.resize(width, min(height, heights[1]))
        self.script("scrollTo(0, 0)")
        return base64.b64decode(str(self._ask("Page.captureScreenshot", format="png")["data"]))

    def _click(self, kinds: str, name: str) -> str:
        found = self._found(kinds, name)
        x, y = cast(list[float], self._call(_PLACE, found).get("value"))
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        return found

    def _found(self, kinds: str, name: str) -> str:
        expression = f"({_FIND})({json.dumps(kinds)}, {json.dumps(name)})"
        return str(_value(self._ask("Runtime.evaluate", expression=expression))["objectId"])

    def _call(self, function: str, on: str, *given: object) -> Json:
        arguments = [{"value": each} for each in given]
        return _value(
            self._ask(
                "Runtime.callFunctionOn",
                functionDeclaration=function,
                objectId=on,
                arguments=arguments,
                returnByValue=True,
            )
        )

    def _loaded(self) -> None:
        until = time.monotonic() + _PATIENCE_S
        while "Page.loadEventFired" not in self._events:
            self._hear(until)

    def _ask(self, method: str, **given: object) -> Json:
        self._last += 1
        asked = {"id": self._last, "method": method, "params": given}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._orders, json.dumps(asked).encode() + b"\0")
        until = time.monotonic() + _PATIENCE_S
        while (answer := self._hear(until)).get("id") != self._last:
            continue
        if "error" in answer:
            raise NotThere(f"{method}: {answer['error']}")
        return cast(Json, answer["result"])

    def _hear(self, until: float) -> Json:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], max(until - time.monotonic(), 0))
            heard = os.read(self._answers, 1 << 20) if ready else b""
            if not heard:
                raise TimeoutError("Chromium has ended, or does not answer")
            self._unread += heard
        said, _, self._unread = self._unread.partition(b"\0")
        told = cast(Json, json.loads(said))
        if "method" in told:
            self._events.append(str(told["method"]))
        return told


def _value(answer: Json) -> Json:
    if "exceptionDetails" in answer:
        thrown = cast(dict[str, dict[str, object]], answer["exceptionDetails"])["exception"]
        raise NotThere(str(thrown.get("description", thrown)).partition("\n")[0])
    return cast(Json, answer["result"])


@contextmanager
def opened(chromium: str) -> Generator[Tab]:
    """A tab of the Chromium at this path, with a profile of its own, while the context lasts."""
    read_orders, orders = os.pipe()
    answers, write_answers = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            *(sys.executable, "-c", _LAUNCH, str(read_orders), str(write_answers), chromium),
            *(*OPTIONS, *_QUIET, f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"),
        ]
        running = subprocess.Popen(  # noqa: S603
            command, pass_fds=(read_orders, write_answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(read_orders)
        os.close(write_answers)
        try:
            yield Tab(orders, answers)
        finally:
            os.close(orders)  # without orders it ends by itself
            try:
                running.wait(timeout=10)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
            os.close(answers)
