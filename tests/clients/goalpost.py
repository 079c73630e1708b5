"""A built `goalpost` with a data folder of its own: what the programs of this folder are run against."""

import contextlib
import json
import subprocess
import tempfile

ORGANIZATION = "9ab0fcab-c1d4-4b26-963b-a3c33155f853"
"""The organization and the view of `goalpost demo`, whose ids are those of Graph's documentation."""
VIEW = "2c8b5fd3-67c3-4677-8eb3-e0066c4d2fd7"


class Goalpost:
    """The program, and the folder that it works on."""

    def __init__(self, program: str, data: str):
        self._program = program
        self.data = data
        """The folder."""

    def run(self, *arguments: str) -> str:
        """Run a command to its end and return what it prints; fails if the command does."""
        return subprocess.run(
            self._command(arguments), check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        ).stdout.strip()

    def json(self, *arguments: str):
        """Run a command and read the JSON that it prints."""
        return json.loads(self.run(*arguments, "--output", "json"))

    def token(self, user: str, *arguments: str) -> str:
        """An access token for whoever has this e-mail."""
        return self.run("token", "--user", user, *arguments)

    @contextlib.contextmanager
    def serve(self, *sandbox: str):
        """Serve on a free port with these sandbox settings; gives the server's address, and ends it at last."""
        settings = [word for setting in sandbox for word in ("--sandbox", setting)]
        command = self._command(["serve", "--listen", "127.0.0.1:0", *settings])
        # The log is kept in a file, since a pipe that nobody reads would stop the server once it is full.
        with tempfile.TemporaryFile("w+") as log:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
            try:
                line = server.stdout.readline()
                if not line.startswith("Goalpost serves http"):
                    server.wait(timeout=10)
                    log.seek(0)
                    raise RuntimeError(f"the server did not start: {log.read()}")
                yield line.split()[-1]
            finally:
                server.terminate()
                server.wait(timeout=30)
                server.stdout.close()

    def _command(self, arguments) -> list[str]:
        return [self._program, "--data", self.data, *arguments]


@contextlib.contextmanager
def demo(program: str, goals: int):
    """The demo's organization in a temporary folder: the program on it, and the e-mail of an organization owner."""
    with tempfile.TemporaryDirectory(prefix="goalpost-clients-") as data:
        goalpost = Goalpost(program, data)
        made = goalpost.json("demo", "--no-serve", "--goals", str(goals))
        yield goalpost, made["user"]
