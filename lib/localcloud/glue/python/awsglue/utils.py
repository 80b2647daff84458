"""getResolvedOptions, as Glue's scripts call it.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""

import argparse

BOOKMARK = "job_bookmark_option"
BOOKMARK_OPTIONS = ("job-bookmark-enable", "job-bookmark-disable", "job-bookmark-pause")
RANGE = ("job_bookmark_from", "job_bookmark_to")
# A script gets these without asking, and may not ask.
RESERVED = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "encryption_type")
ALWAYS = ("TempDir", "RedshiftTempDir")


class GlueArgumentError(Exception):
    """The message is argparse's: which argument is missing, or has a wrong value."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise GlueArgumentError(message)


def getResolvedOptions(args: list[str], options: list[str]) -> dict[str, str]:
    """The values of the named options (without ``--``), and of those that Glue always gives.

    ``args`` is sys.argv. Raises GlueArgumentError if one is missing, RuntimeError for a name that
    is reserved.
    """
    for name in (BOOKMARK, *RANGE, *RESERVED):
        if name in options or name.replace("_", "-") in options:
            raise RuntimeError(f"Using reserved arguments --{name.replace('job_b', 'job-b')}")
    # Exact names only: with abbreviations --bucket would be taken for --bucket_name.
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--job-bookmark-option", choices=BOOKMARK_OPTIONS)
    for name in (*RANGE, *RESERVED):
        parser.add_argument(f"--{name.replace('_', '-') if name in RANGE else name}", dest=name)
    for name in ALWAYS:
        parser.add_argument(f"--{name}")
    for name in options:
        if name not in ALWAYS:
            parser.add_argument(f"--{name}", required=True)
    found = vars(parser.parse_known_args(args[1:])[0])
    found[BOOKMARK] = found[BOOKMARK] or "job-bookmark-disable"
    found["TempDir"] = found["RedshiftTempDir"] = found["TempDir"] or found["RedshiftTempDir"]
    return found
