"""schemathesis against `/api/v1` of a built `goalpost`: what its OpenAPI document says is what the server does.

    python openapi.py target/debug/goalpost

Invents requests for every route that the document has, good and bad ones, always the same. No answer may be a status,
a media type or a body that the document does not have, and none may be the server's own fault. And most requests must
have got somewhere, or else this would say little.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import requests

import goalpost
from goalpost import ORGANIZATION

EXAMPLES = 12
"""Invented requests for each route, in each phase."""
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
]
REACHED = {"reading": 0.25, "writing": 0.15}
"""Of the requests that fit the document, the part that must get as far as success, 409 or 412."""


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python openapi.py PATH-OF-GOALPOST", file=sys.stderr)
        return 2
    with goalpost.demo(sys.argv[1], goals=300) as (server, owner), tempfile.TemporaryDirectory() as folder:
        token = server.token(owner, "--scope", "Goals.ReadWrite.All")
        with server.serve() as address:
            answers = Path(folder) / "answers"
            environment = {
                **os.environ,
                "SCHEMATHESIS_HOOKS": str(Path(__file__).parent / "openapi_hooks.py"),
                "GOALPOST_THINGS": json.dumps(things(f"{address}/api/v1", token)),
                "GOALPOST_ANSWERS": str(answers),
            }
            failed = subprocess.run(command(address, token), env=environment, cwd=folder).returncode
            return failed or judge(answers.read_text().splitlines())


def command(address: str, token: str) -> list[str]:
    return [
        str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}/api/v1/openapi.json",
        "--header", f"Authorization: Bearer {token}",
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--seed", "1", "--generation-deterministic",
        "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-shrink", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all", "--warnings", "off",
    ]


def things(root: str, token: str) -> dict[str, list]:
    """Some ids of every set, by its name."""
    ids = {"organizations": [ORGANIZATION]}
    for name in ["goals", "checkIns", "comments", "tasks", "people", "teams", "periods", "tags", "views"]:
        address = f"{root}/organizations/{ORGANIZATION}/{name}"
        answer = requests.get(address, {"$select": "id", "$top": 20}, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        ids[name] = [row["id"] for row in answer.json()["value"]] or [1]
    return ids


def judge(answers: list[str]) -> int:
    """Say what was answered, and whether that is enough."""
    of_kind = {"reading": collections.Counter(), "writing": collections.Counter()}
    for line in answers:
        mode, method, _, status = line.split()
        if mode == "positive":
            of_kind["reading" if method == "GET" else "writing"][int(status)] += 1
    enough = True
    for kind, statuses in of_kind.items():
        reached = sum(count for status, count in statuses.items() if status < 300 or status in (409, 412))
        part = reached / max(statuses.total(), 1)
        print(f"{kind}: {statuses.total()} requests, {part:.0%} got somewhere; {dict(sorted(statuses.items()))}")
        enough = enough and part >= REACHED[kind]
    if not enough:
        print(f"too few of the requests got somewhere; wanted are {REACHED}", file=sys.stderr)
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
