"""Runs checks one after another: a line for each, and how many passed in the end."""

import time
import traceback


class Checks:
    """The checks of a program so far."""

    def __init__(self):
        self._passed = 0
        self._failed = 0

    def run(self, check, *arguments):
        """Call it; that it raises nothing is that it passes."""
        name = check.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            check(*arguments)
        except Exception:
            self._failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
        else:
            self._passed += 1
            print(f"ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)

    def end(self) -> int:
        """The last line, and how the process is to end."""
        print(f"{self._passed} passed, {self._failed} failed", flush=True)
        return 1 if self._failed or not self._passed else 0
