"""Mixed load on several nodes for long, while they are killed, frozen and replaced.

    python soak.py target/release/goalpost 10

Runs for so many minutes on PostgreSQL and S3, as `cargo xtask services up` tells where they are. Clients export and
fetch, in pieces, from two nodes; an import repeats what is there; every twenty seconds something happens to one of the
nodes but the first. Every export that was promised (201) must come to its end with the same bytes as all others of its
view, no answer may be a 5xx but 503, and the first node must not grow. Needs nothing but Python.
"""

import contextlib
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import goalpost
from goalpost import ORGANIZATION

VIEWS = 4
GOALS = 2_000
FAULT_EVERY_SECONDS = 20
FROZEN_SECONDS = 18
"""Longer than a lease lasts."""
PATIENCE_SECONDS = 90
GROWTH_BYTES = 24 << 20
"""How much more memory the first node may hold in the last third of the time than in the first."""


class Refused(Exception):
    """An answer that a server must not give here."""


class Node:
    """A process of the program, on a port of its own, that can be started again and again."""

    def __init__(self, program: str, data: str, *words: str, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        where = ["--metrics-listen"] if words[0] == "worker" else ["--listen"]
        self._command = [program, *words, "--data", data, *where, f"127.0.0.1:{port}"]
        self._log = log
        self.start()

    def start(self):
        """Start it, and wait until it is ready."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                urllib.request.urlopen(f"{self.address}/readyz", timeout=5).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._command} does not become ready")

    def send(self, what: signal.Signals):
        """Send it a signal."""
        self._process.send_signal(what)

    def replace(self, by: signal.Signals):
        """End it by a signal, and start it again."""
        self.send(by)
        self._process.wait(timeout=PATIENCE_SECONDS)
        self.start()

    def end(self):
        """End it, if it still runs."""
        self._process.kill()
        self._process.wait()

    def memory_bytes(self) -> int:
        """What it holds in memory now. Linux only."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) * 1024

    def open_files(self) -> int:
        """How many files and connections it has open. Linux only."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split()[0] == name)


class Client(threading.Thread):
    """Does something over and over until the time is over; an error of its own ends it, and is kept."""

    def __init__(self, until: float):
        super().__init__()
        self._until = until
        self.done = 0
        self.wrong: list[str] = []

    def run(self):
        try:
            while time.monotonic() < self._until and not self.wrong:
                self.once()
                self.done += 1
        except Exception as error:  # whatever it is, it is told at the end
            self.wrong.append(f"{type(self).__name__}: {error!r}")

    def once(self):
        raise NotImplementedError


class Exporter(Client):
    """Exports one view, asking one node and then another."""

    def __init__(self, nodes: list[Node], token: str, view: str, until: float):
        super().__init__(until)
        self._nodes = itertools.cycle(nodes)
        self._token, self._view = token, view
        self._known: str | None = None

    def once(self):
        pair = {"goalsOrganizationId": ORGANIZATION, "explorerViewId": self._view}
        export = json.loads(self._ask("", pair))["id"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (status := json.loads(self._ask(f"/{export}"))["status"]) != "succeeded":
            if status == "failed" or time.monotonic() > deadline:
                raise Refused(f"{export} is {status}")
            time.sleep(0.02)
        content = hashlib.sha256(self._fetch(export)).hexdigest()
        self._known = self._known or content
        if self._known != content:
            raise Refused(f"{export} has other content than the exports of this view before it")

    def _fetch(self, export: str) -> bytes:
        """The content, whole or, each second time, in pieces from whatever node."""
        if self.done % 2:
            return self._ask(f"/{export}/content")
        whole, size = b"", 1
        while len(whole) < size:
            piece = f"bytes={len(whole)}-{len(whole) + random.randrange(1, 1 << 19)}"
            part, ranges = self._ask(f"/{export}/content", headers={"Range": piece}, want="Content-Range")
            whole, size = whole + part, int(ranges.rpartition("/")[2])
        return whole

    def _ask(self, path: str, body=None, headers=None, want: str | None = None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **(headers or {})}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            url = f"{next(self._nodes).address}/beta/employeeExperience/goals/exportJobs{path}"
            try:
                with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
                    return (answer.read(), answer.headers[want]) if want else answer.read()
            except urllib.error.HTTPError as error:
                text = error.read()
                if error.code == 409 and body:
                    # An earlier request took effect, but its answer was lost with the node.
                    return json.dumps({"id": json.loads(text)["error"]["target"]}).encode()
                if error.code not in (429, 503):
                    raise Refused(f"{url} answered {error.code}: {text.decode()}") from error
                time.sleep(int(error.headers["Retry-After"]))
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # The node is away; the next one is asked.
            if time.monotonic() > deadline:
                raise Refused(f"{url} does not answer")


class Importer(Client):
    """Imports the file that is there already, once a minute."""

    def __init__(self, server: goalpost.Goalpost, until: float):
        super().__init__(until)
        self._server = server

    def once(self):
        self._server.run("import", f"{self._server.data}/demo.zip")
        time.sleep(max(0.0, min(60.0, self._until - time.monotonic())))


class Faults(Client):
    """Does something to one of the nodes that bear it."""

    def __init__(self, nodes: list[Node], until: float):
        super().__init__(until)
        self._nodes = nodes

    def once(self):
        time.sleep(FAULT_EVERY_SECONDS)
        node = self._nodes[self.done % len(self._nodes)]
        match self.done // len(self._nodes) % 3:
            case 0:
                node.replace(signal.SIGKILL)
            case 1:
                node.send(signal.SIGSTOP)
                time.sleep(FROZEN_SECONDS)
                node.send(signal.SIGCONT)
            case 2:
                node.replace(signal.SIGTERM)


class Watch(Client):
    """Looks at the memory and the open files of a node, once a second."""

    def __init__(self, node: Node, until: float):
        super().__init__(until)
        self._node = node
        self.memory: list[int] = []
        self.files: list[int] = []

    def once(self):
        self.memory.append(self._node.memory_bytes())
        self.files.append(self._node.open_files())
        time.sleep(1)

    def growth(self, seen: list[int]) -> int:
        """How much more there was in the last third of the time than in the second."""
        third = len(seen) // 3
        return int(statistics.median(seen[-third:]) - statistics.median(seen[third : 2 * third]))


def environment(name: str) -> dict[str, str]:
    """Where the program finds its database and its store."""
    told = os.environ
    return {
        "GOALPOST_DATABASE": f"{told['GOALPOST_TEST_POSTGRES']}/{name}",
        "GOALPOST_CONTENT": f"s3://{told['GOALPOST_TEST_S3_BUCKET']}/{name}",
        "GOALPOST_LOG": "warn",
        "AWS_ENDPOINT": told["GOALPOST_TEST_S3"],
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": told["GOALPOST_TEST_S3_KEY"],
        "AWS_SECRET_ACCESS_KEY": told["GOALPOST_TEST_S3_SECRET"],
    }


@contextlib.contextmanager
def database():
    """A database of its own; its name."""
    name = f"soak_{os.getpid()}"
    psql = [f"{os.environ['GOALPOST_TEST_PG_BIN']}/psql", f"{os.environ['GOALPOST_TEST_POSTGRES']}/postgres", "-qc"]
    subprocess.run([*psql, f"create database {name}"], check=True)
    try:
        yield name
    finally:
        subprocess.run([*psql, f"drop database {name} with (force)"], check=True)


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python soak.py PATH-OF-GOALPOST MINUTES", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        os.environ.update(environment(stack.enter_context(database())))
        server, owner = stack.enter_context(goalpost.demo(sys.argv[1], goals=GOALS))
        # Expiry runs along, or an hour's exports fill the disk.
        settings = "[exports]\nexpire_after_secs = 300\n[limits]\ncreates_per_10_secs = 100000\n"
        pathlib.Path(server.data, "goalpost.toml").write_text(settings, encoding="ascii")
        create = ("view", "create", "--organization", ORGANIZATION, "--name")
        views = [server.json(*create, f"Soak {number}")["id"] for number in range(VIEWS)]
        token = server.token(owner, "--ttl", "24h")
        log = stack.enter_context(open(f"{server.data}/nodes.log", "w", encoding="utf-8"))
        nodes = [Node(sys.argv[1], server.data, *words, log=log) for words in (["serve"], ["serve"], ["worker"])]
        for node in nodes:
            stack.callback(node.end)
        until = time.monotonic() + float(sys.argv[2]) * 60
        exporters = [Exporter(nodes[:2], token, view, until) for view in views]
        importer, faults, watch = Importer(server, until), Faults(nodes[1:], until), Watch(nodes[0], until)
        clients = [*exporters, importer, faults, watch]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        wrong = [text for client in clients for text in client.wrong]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while nodes[0].metric("goalpost_jobs_pending") and time.monotonic() < deadline:
            time.sleep(0.5)
        if stuck := nodes[0].metric("goalpost_jobs_pending"):
            wrong.append(f"{stuck:.0f} exports do not end")
        if met := sum(node.metric("goalpost_http_faults_total") for node in nodes[:2]):
            wrong.append(f"{met:.0f} answers were errors of the servers' own")
        memory, files = watch.growth(watch.memory), watch.growth(watch.files)
        if memory > GROWTH_BYTES or files > 20:
            wrong.append(f"the first node has grown by {memory >> 20} MiB and {files} open files")
        finished = sum(exporter.done for exporter in exporters)
        if wrong or not finished:
            print("\n".join(wrong) or "nothing was exported", pathlib.Path(log.name).read_text(encoding="utf-8"))
            return 1
        print(
            f"soak: {finished} exports, {importer.done} imports, {faults.done} faults, "
            f"{max(watch.memory) >> 20} MiB at most in the first node, "
            f"{max(0, memory) >> 10} KiB at most of growth, {max(0, files)} files at most of growth"
        )
        return 0


if __name__ == "__main__":
    sys.exit(main())
