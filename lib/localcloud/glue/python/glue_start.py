"""What a run's process executes: the script as __main__, its standard error kept apart.

The last exception becomes the run's ErrorMessage, in the file DRYDOCK_GLUE_ERROR.
"""

import os
import runpy
import sys
import traceback


def main(script: str, words: list[str]) -> int:
    errors = os.open(os.environ.pop("DRYDOCK_GLUE_STDERR"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(errors, 2)
    os.close(errors)
    message = os.environ.pop("DRYDOCK_GLUE_ERROR")
    sys.argv = [script, *words]
    sys.path[0] = os.path.dirname(script)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if end.code in (None, 0):
            return 0
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return told(message, end)
    except BaseException as error:
        traceback.print_exc()
        return told(message, error)
    return 0


def told(message: str, error: BaseException) -> int:
    with open(message, "w") as file:
        file.write(f"{type(error).__name__}: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
