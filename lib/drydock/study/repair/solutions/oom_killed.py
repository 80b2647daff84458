"""Stored answers of the lab oom_killed."""


def solve(lab, case):
    manifest = case.job()
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    container["resources"]["limits"]["memory"] = "256Mi"
    case.run(manifest)


def as_much_as_there_is(lab, case):
    manifest = case.job()
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    container["resources"]["limits"]["memory"] = "4Gi"
    case.run(manifest)


def no_limit(lab, case):
    manifest = case.job()
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    del container["resources"]["limits"]
    case.run(manifest)


def without_the_quota(lab, case):
    case.core.delete_namespaced_resource_quota("team", "default")
    as_much_as_there_is(lab, case)


def a_little_more(lab, case):
    manifest = case.job()
    [container] = manifest["spec"]["template"]["spec"]["containers"]
    container["resources"]["limits"]["memory"] = "28Mi"
    case.run(manifest)


WRONG = (
    (as_much_as_there_is, "complete"),
    (no_limit, "complete"),
    (without_the_quota, "quota"),
    (a_little_more, "complete"),
)
