"""Starts a built `goalpost` for `node/odata_client.mjs`, and runs it.

    python odata_node.py target/debug/goalpost NODE FOLDER

FOLDER is where the packages of `node/package-lock.json` are installed.
"""

import os
import subprocess
import sys
from pathlib import Path

import goalpost
from goalpost import ORGANIZATION

GOALS = 2_500
"""More than two pages of them."""


def main() -> int:
    if len(sys.argv) != 4:
        print("usage: python odata_node.py PATH-OF-GOALPOST NODE FOLDER", file=sys.stderr)
        return 2
    program, node, folder = sys.argv[1:]
    script = Path(__file__).parent / "node/odata_client.mjs"
    with goalpost.demo(program, goals=GOALS) as (server, owner):
        token = server.token(owner, "--scope", "Goals.ReadWrite.All")
        with server.serve() as address:
            command = [node, script, f"{address}/api/v1", token, ORGANIZATION]
            return subprocess.run(command, env={**os.environ, "NODE_FOLDER": folder}).returncode


if __name__ == "__main__":
    sys.exit(main())
