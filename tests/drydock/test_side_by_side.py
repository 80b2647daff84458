"""Where each line of a task definition is in a pod."""

from drydock.side_by_side import table

DEFINITION = {
    "family": "etl",
    "cpu": "1024",
    "memory": "2048",
    "taskRoleArn": "arn:aws:iam::123456789012:role/etl-task",
    "requiresCompatibilities": ["FARGATE", "EC2"],
    "containerDefinitions": [
        {
            "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/drydock/etl@sha256:" + "0" * 64,
            "command": ["2013-01", "2013-02"],
            "secrets": [{"name": "DB_SECRET", "valueFrom": "arn:secret"}],
            "stopTimeout": 30,
        }
    ],
}
POD = {
    "metadata": {"name": "etl"},
    "spec": {
        "serviceAccountName": "reader",
        "terminationGracePeriodSeconds": 30,
        "containers": [
            {
                "args": ["2013-01"],
                "env": [{"name": "DB_SECRET", "value": "hidden"}],
                "resources": {"limits": {"cpu": "1", "memory": "2Gi"}},
            }
        ],
    },
}


def test_a_line_tells_both_places_and_values():
    found = table(DEFINITION, POD)
    assert list(found.loc["CPU"]) == ["cpu: 1024", "limits.cpu: 1"]
    assert list(found.loc["memory"]) == ["memory: 2048", "limits.memory: 2Gi"]
    assert list(found.loc["its words"]) == ["command: 2013-01, 2013-02", "args: 2013-01"]
    assert list(found.loc["program's role"]) == [
        "taskRoleArn: etl-task",
        "serviceAccountName: reader",
    ]


def test_the_words_for_program_and_arguments_are_crossed():
    found = table(DEFINITION, POD)
    assert list(found.loc["program"]) == ["entryPoint: -", "command: -"]
    assert found.loc["its words", "pod"].startswith("args")


def test_what_one_side_lacks_is_told_and_no_value_of_a_secret():
    found = table(DEFINITION, POD)
    assert found.loc["settings", "task definition"] == "environment: -"
    assert found.loc["secret", "pod"] == "env: ..."
    assert found.loc["image", "task definition"] == "image: etl"
    assert "hidden" not in found.to_string()
    assert "arn:secret" not in found.to_string()


def test_empty_documents_do_not_break_it():
    found = table({}, {})
    assert found.loc["name", "pod"] == "metadata.name: -"
    assert found.index.is_unique


def test_an_empty_list_is_told_as_such():
    found = table({"containerDefinitions": [{"command": []}]}, POD)
    assert found.loc["its words", "task definition"] == "command: "
