"""`python -m jobmon.agent`."""

import argparse
import sys
from pathlib import Path

from jobmon.agent.keeper import keep
from jobmon.inherited import settle


def main() -> int:
    """Read the arguments and keep an agent until it ends; its exit status."""
    settle()
    parser = argparse.ArgumentParser(prog="jobmon.agent", description="Run attempts for one executor on this host.")
    parser.add_argument("--state", type=Path, required=True, help="the private folder of this agent")
    parser.add_argument("--workers", type=int, required=True, help="attempts that run at once")
    parser.add_argument("--idle-s", type=float, default=30.0, help="end when unused for so long")
    parser.add_argument("--grace-s", type=float, default=10.0, help="from SIGTERM to SIGKILL")
    args = parser.parse_args()
    if args.workers < 1:
        parser.error("--workers must be 1 or more")
    return keep(args.state.absolute(), workers=args.workers, idle_s=args.idle_s, grace_s=args.grace_s)


if __name__ == "__main__":
    sys.exit(main())
