"""Stored answers of the lab cors_refused."""


def solve(lab, case):
    lab.client("apigatewayv2").update_api(
        ApiId=case.api_id,
        CorsConfiguration={
            "AllowOrigins": ["https://delays.example"],
            "AllowMethods": ["GET", "PUT"],
            "AllowHeaders": ["authorization", "x-request-from"],
            "AllowCredentials": True,
            "MaxAge": 600,
        },
    )


def allow_everybody(lab, case):
    _configure(lab, case, AllowOrigins=["*"])


def allow_every_https(lab, case):
    _configure(lab, case, AllowOrigins=["https://*"])


def mend_the_origin_only(lab, case):
    _configure(lab, case, AllowMethods=["GET"], AllowHeaders=["x-request-from"])


def without_cookies(lab, case):
    _configure(lab, case, AllowCredentials=False)


def a_star_for_the_headers(lab, case):
    _configure(lab, case, AllowHeaders=["*"])


def every_method_to_be_safe(lab, case):
    _configure(lab, case, AllowMethods=["GET", "PUT", "POST", "PATCH", "DELETE"])


def _configure(lab, case, **changed):
    right = {
        "AllowOrigins": ["https://delays.example"],
        "AllowMethods": ["GET", "PUT"],
        "AllowHeaders": ["authorization", "x-request-from"],
        "AllowCredentials": True,
    }
    lab.client("apigatewayv2").update_api(ApiId=case.api_id, CorsConfiguration=right | changed)


WRONG = (
    (allow_everybody, "wildcard"),
    (allow_every_https, "strangers"),
    (mend_the_origin_only, "page"),
    (without_cookies, "page"),
    (a_star_for_the_headers, "page"),
    (every_method_to_be_safe, "least"),
)
