"""Exports without a pause, while the server is stopped and killed again and again.

    python soak.py target/release/goalpost 60

Runs for so many minutes. Every export that was promised (201) must come to its end, whatever happened to the server
meanwhile, with the same bytes as all others of its view, and no answer may be a 5xx but 503. Needs nothing but Python.
"""

import hashlib
import http.client
import itertools
import json
import sys
import threading
import time
import urllib.error
import urllib.request

import goalpost
from goalpost import ORGANIZATION

VIEWS = 4
ROUND_SECONDS = 20
PATIENCE_SECONDS = 60


class Refused(Exception):
    """An answer that the server must not give here."""


class Exporter(threading.Thread):
    """Exports one view over and over until the round is over or the server gone."""

    def __init__(self, address: str, token: str, view: str, known: dict, until: float):
        super().__init__()
        self._jobs = f"{address}/beta/employeeExperience/goals/exportJobs"
        self._token, self._view, self._known, self._until = token, view, known, until
        self.finished = 0
        self.wrong: list[str] = []
        self.promised: str | None = None
        """The export that was promised and has not been seen at its end."""

    def run(self):
        try:
            while time.monotonic() < self._until:
                pair = {"goalsOrganizationId": ORGANIZATION, "explorerViewId": self._view}
                self.promised = json.loads(self._request(self._jobs, pair))["id"]
                self.finish()
        except Refused as refused:
            self.wrong.append(str(refused))
        except (OSError, http.client.HTTPException):
            pass  # The server was killed; the next round asks for what was promised.

    def finish(self):
        """Wait for the promised export, and compare its content with that of earlier ones."""
        url = f"{self._jobs}/{self.promised}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (status := json.loads(self._request(url))["status"]) != "succeeded":
            if status == "failed" or time.monotonic() > deadline:
                self.wrong.append(f"{url} is {status}")
                break
            time.sleep(0.02)
        else:
            content = hashlib.sha256(self._request(f"{url}/content")).hexdigest()
            if self._known.setdefault(self._view, content) != content:
                self.wrong.append(f"{url} has other content than the exports of this view before it")
            self.finished += 1
        self.promised = None

    def _request(self, url: str, body=None) -> bytes:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        while True:
            try:
                with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
                    return answer.read()
            except urllib.error.HTTPError as error:
                text = error.read()
                if error.code in (429, 503):
                    time.sleep(int(error.headers["Retry-After"]))
                elif error.code == 409 and body:
                    # An earlier request took effect, but its answer was lost with the server.
                    return json.dumps({"id": json.loads(text)["error"]["target"]}).encode()
                else:
                    raise Refused(f"{url} answered {error.code}: {text.decode()}") from error


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python soak.py PATH-OF-GOALPOST MINUTES", file=sys.stderr)
        return 2
    end = time.monotonic() + float(sys.argv[2]) * 60
    known, finished, kills, wrong = {}, 0, 0, []
    with goalpost.demo(sys.argv[1], goals=2_000) as (server, owner):
        create = ("view", "create", "--organization", ORGANIZATION, "--name")
        views = [server.json(*create, f"Soak {number}")["id"] for number in range(VIEWS)]
        promised: list[str | None] = [None] * VIEWS
        for round_number in itertools.count(1):
            token = server.token(owner)
            # Expiry runs along, or an hour's exports fill the disk.
            with server.serve("expire-after=5m") as address:
                until = min(time.monotonic() + ROUND_SECONDS, end)
                exporters = [Exporter(address, token, view, known, until) for view in views]
                for exporter, export in zip(exporters, promised):
                    if export:
                        exporter.promised = export
                        exporter.finish()
                for exporter in exporters:
                    exporter.start()
                is_last = until == end
                if round_number % 2 and not is_last:
                    time.sleep(ROUND_SECONDS / 2)
                    server.kill()
                    kills += 1
                for exporter in exporters:
                    exporter.join()
                memory = "" if server.is_dead() else f", peak memory {server.peak_memory_bytes() / 1e6:.0f} MB"
            promised = [exporter.promised for exporter in exporters]
            finished += sum(exporter.finished for exporter in exporters)
            wrong += itertools.chain.from_iterable(exporter.wrong for exporter in exporters)
            print(f"round {round_number}: {finished} exports, {kills} kills, {len(wrong)} wrong{memory}", flush=True)
            if is_last or wrong:
                break
    wrong += [f"{export} was promised and never seen at its end" for export in promised if export]
    print("\n".join(wrong) or f"soak: {finished} exports passed, 0 failed, {kills} kills")
    return 1 if wrong or not finished else 0


if __name__ == "__main__":
    sys.exit(main())
