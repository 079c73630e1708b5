"""How long an import, an export and its download take, and how much memory the server needs for them.

    python bench.py target/release/goalpost 100000

Needs nothing but Python. Prints one line per figure.
"""

import json
import os
import sys
import tempfile
import time
import urllib.request

from goalpost import Goalpost, ORGANIZATION, VIEW


def timed(call):
    started = time.monotonic()
    result = call()
    return result, time.monotonic() - started


def request(url: str, token: str, body=None) -> bytes:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
        return answer.read()


def export(address: str, token: str) -> str:
    """Create an export, and look at it every 10 ms until it is done; gives its URL."""
    jobs = f"{address}/beta/employeeExperience/goals/exportJobs"
    pair = {"goalsOrganizationId": ORGANIZATION, "explorerViewId": VIEW}
    url = f"{jobs}/{json.loads(request(jobs, token, pair))['id']}"
    while (status := json.loads(request(url, token))["status"]) != "succeeded":
        if status == "failed":
            raise RuntimeError(f"{url} failed")
        time.sleep(0.01)
    return url


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: python bench.py PATH-OF-GOALPOST NUMBER-OF-GOALS", file=sys.stderr)
        return 2
    program, goals = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="goalpost-bench-") as data:
        server = Goalpost(program, data)
        file = os.path.join(data, "sample.zip")
        server.run("demo", "--goals", str(goals), "--write-zip", file)
        print(f"file      {os.path.getsize(file) / 1e6:8.1f} MB   ZIP of {goals} goals")
        made, seconds = timed(lambda: server.json("demo", "--no-serve", "--goals", str(goals)))
        print(f"import    {seconds:8.2f} s    {goals / seconds:.0f} goals/s, the inventing included")
        token = server.token(made["user"])
        with server.serve() as address:
            for run in ("first", "second"):
                url, seconds = timed(lambda: export(address, token))
                print(f"export    {seconds:8.2f} s    {goals / seconds:.0f} goals/s, {run} time")
            content, seconds = timed(lambda: request(f"{url}/content", token))
            print(f"download  {seconds:8.2f} s    {len(content) / 1e6:.1f} MB")
            print(f"memory    {server.peak_memory_bytes() / 1e6:8.1f} MB   the server's peak")
    return 0


if __name__ == "__main__":
    sys.exit(main())
