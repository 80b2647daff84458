"""python -m localcloud serve --home FOLDER --port NUMBER"""

import argparse
import sys
from pathlib import Path

from localcloud.home import HomeInUse
from localcloud.server import CannotServe, serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m localcloud")
    command = parser.add_subparsers(required=True).add_parser("serve", help="run in the foreground")
    command.add_argument("--home", type=Path, required=True, help="folder that keeps everything")
    command.add_argument("--port", type=int, required=True, help="0 takes a free one")
    command.add_argument("--or-free", action="store_true", help="if it is taken, take a free one")
    given = parser.parse_args()
    try:
        serve(given.home, given.port, given.or_free)
    except (CannotServe, HomeInUse) as error:
        print(f"localcloud: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"localcloud: {error.filename or given.home}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
