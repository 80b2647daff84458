"""Stored answers of the lab spot_loses_work."""


def solve(lab, case):
    new_main = """
def reported() -> set[str]:
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="reports/")
    names = [item["Key"].rsplit("/", 1)[1] for item in listed.get("Contents", [])]
    return {name.removesuffix(".json") for name in names}


def main() -> None:
    done = reported()
    for month in os.environ["MONTHS"].split():
        if month not in done:
            rows = count(month)
            report(month, rows)
            print(f"{month}: {rows:,} rows", flush=True)


if __name__ == "__main__":
    main()
"""
    text = case.program.read_text()
    case.program.write_text(text.partition("\ndef main()")[0] + new_main)
    definition = case.definition()
    definition["containerDefinitions"][0]["image"] = case.build_image()
    lab.client("ecs").register_task_definition(**definition)


def only_more_time_to_stop(lab, case):
    definition = case.definition()
    definition["containerDefinitions"][0]["stopTimeout"] = 120
    lab.client("ecs").register_task_definition(**definition)


def take_no_notice_of_the_notice(lab, case):
    text = case.program.read_text()
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nimport boto3"
    case.program.write_text(text.replace("import boto3", deaf))
    only_more_time_to_stop(lab, case)


def start_over(lab, case):
    solve(lab, case)
    text = case.program.read_text()
    case.program.write_text(text.replace("done = reported()", "done = set()"))


WRONG = (
    (only_more_time_to_stop, "kept"),
    (take_no_notice_of_the_notice, "kept"),
    (start_over, "not_again"),
)
