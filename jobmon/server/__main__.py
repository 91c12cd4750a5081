"""An embedded server, as `jobmon.requester.embedded` starts it: says through a pipe that it answers, or why not."""

import argparse
import logging
import os
import resource
import sys
from pathlib import Path

from jobmon.errors import JobmonError
from jobmon.inherited import raise_limit, settle
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.server.main import serve


def main() -> int:
    """Serve until idle or told to end."""
    settle()
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_CPU):
        raise_limit(limit)  # those of a shell are meant for what it runs, not for the keeper of all records
    parser = argparse.ArgumentParser(prog="python -m jobmon.server")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--port", type=int, help="the port to listen on")
    parser.add_argument("--ready-fd", type=int, required=True, help="the pipe to tell through")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")

    def tell(text: str) -> None:
        os.write(arguments.ready_fd, text.encode())
        os.close(arguments.ready_fd)

    def ready(_endpoint: Endpoint) -> None:
        tell("ready")

    try:
        serve(DataFolder(arguments.data), port=arguments.port, on_ready=ready)
    except JobmonError as error:
        tell(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
