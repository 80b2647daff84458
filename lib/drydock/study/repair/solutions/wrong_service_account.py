"""Stored answers of the lab wrong_service_account."""


def solve(lab, case):
    manifest = case.job()
    manifest["spec"]["template"]["spec"]["serviceAccountName"] = "counter"
    case.run(manifest)


def keys_in_the_job(lab, case):
    manifest = case.job()
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    keys = lab.session.get_credentials()
    container["env"] += [
        {"name": "AWS_ACCESS_KEY_ID", "value": keys.access_key},
        {"name": "AWS_SECRET_ACCESS_KEY", "value": keys.secret_key},
    ]
    manifest["spec"]["template"]["spec"]["serviceAccountName"] = "counter"
    case.run(manifest)


def a_role_for_the_default_account(lab, case):
    role = lab.client("iam").get_role(RoleName=case.task_role)["Role"]["Arn"]
    lab.client("eks").create_pod_identity_association(
        clusterName=case.cluster, namespace="default", serviceAccount="default", roleArn=role
    )
    case.run(case.job())


def both(lab, case):
    a_role_for_the_default_account(lab, case)
    solve(lab, case)


def just_try_again(lab, case):
    case.run(case.job())


WRONG = (
    (keys_in_the_job, "no_keys"),
    (a_role_for_the_default_account, "account"),
    (both, "alone"),
    (just_try_again, "complete"),
)
