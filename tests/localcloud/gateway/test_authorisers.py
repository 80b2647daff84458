"""Who may call: JWTs by their issuer's keys, and SigV4 signatures by IAM."""

import contextlib
import datetime as dt
import http.server
import json
import time

import httpx
import pytest
from balancers import get
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from http_apis import Issuer
from joserfc.jwk import RSAKey
from live import client

from localcloud.gateway.refusals import Refused
from localcloud.gateway.tokens import Tokens


@pytest.fixture
def issuer(apis):
    class Provider(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = made.documents().get(self.path)
            body = json.dumps(found).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    made = Issuer(apis.server(Provider))
    return made


@pytest.fixture
def guarded(apis, issuer):
    """The address of an API that wants a token."""
    api, address = apis.echo(key="GET /open")
    authorizer = apis.gateway.create_authorizer(
        ApiId=api,
        AuthorizerType="JWT",
        Name="tokens",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["flights"]},
    )["AuthorizerId"]
    target = apis.gateway.get_routes(ApiId=api)["Items"][0]["Target"]
    how = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
    apis.route(api, "GET /flights", target, **how)
    apis.route(api, "GET /admin", target, AuthorizationScopes=["admin"], **how)
    return address


def bearer(address, token):
    return get(address, headers={"Authorization": f"Bearer {token}"})


def test_a_good_token_goes_through(guarded, issuer):
    assert get(f"{guarded}/open").status_code == 200
    assert bearer(f"{guarded}/flights", issuer.token()).status_code == 200
    by_client = issuer.token(aud=None, client_id="flights")
    assert bearer(f"{guarded}/flights", by_client).status_code == 200


def test_scopes(guarded, issuer):
    assert bearer(f"{guarded}/admin", issuer.token(scope="read admin")).status_code == 200
    answer = bearer(f"{guarded}/admin", issuer.token(scope="read"))
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_without_a_token_it_is_401(guarded):
    answer = get(f"{guarded}/flights")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"iss": "https://other.example"},
        {"aud": "other"},
        {"key": RSAKey.generate_key(2048, {"kid": "one"}, private=True)},
    ],
)
def test_a_wrong_token_is_401(guarded, issuer, changes):
    answer = bearer(f"{guarded}/flights", issuer.token(**changes))
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_401(guarded, token):
    assert bearer(f"{guarded}/flights", token).status_code == 401


@pytest.fixture
def signed(apis):
    """The address of an API that wants a signature."""
    return apis.echo("prod", "GET /flights", {"AuthorizationType": "AWS_IAM"})


def call(address, key, secret, token=None, service="execute-api"):
    request = AWSRequest("GET", address, headers={"Host": httpx.URL(address).netloc.decode()})
    SigV4Auth(Credentials(key, secret, token), service, "us-east-1").add_auth(request)
    return get(address, headers=dict(request.headers.items()))


def user(apis, allowed):
    iam = client(apis.cloud, "iam")
    name = apis.name()
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": allowed}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="may", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def test_a_signed_request_of_who_may_goes_through(apis, signed):
    api, address = signed
    arn = f"arn:aws:execute-api:us-east-1:123456789012:{api}/prod/GET/*"
    key, secret = user(apis, arn)
    assert call(f"{address}/flights?b=2&a=1", key, secret).status_code == 200
    assert call(f"{address}/flights", "drydock", "drydock").status_code == 200


def test_a_role_session_signs_too(apis, signed):
    _, address = signed
    iam, sts = client(apis.cloud, "iam"), client(apis.cloud, "sts")
    name = apis.name()
    trust = {"Version": "2012-10-17", "Statement": []}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    parts = keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]
    assert call(f"{address}/flights", *parts).status_code == 403
    allow = {"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="may", PolicyDocument=document)
    assert call(f"{address}/flights", *parts).status_code == 200


def test_who_may_not_is_403(apis, signed):
    _, address = signed
    key, secret = user(apis, "arn:aws:execute-api:us-east-1:123456789012:other/*")
    for answer in (
        call(f"{address}/flights", key, secret),
        call(f"{address}/flights", key, "wrong"),
        call(f"{address}/flights", "AKIANOBODY", secret),
        call(f"{address}/flights", "drydock", "wrong"),
        call(f"{address}/flights", "drydock", "drydock", service="s3"),
        get(f"{address}/flights"),
        get(f"{address}/flights", headers={"Authorization": "AWS4-HMAC-SHA256 nonsense"}),
    ):
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_a_signature_for_another_query_is_403(signed):
    _, address = signed
    answer = call(f"{address}/flights", "drydock", "drydock")
    assert answer.status_code == 200
    replayed = dict(answer.request.headers)
    assert get(f"{address}/flights?more=1", headers=replayed).status_code == 403


@pytest.mark.parametrize(("seconds", "status"), [(-310, 403), (-290, 200), (290, 200), (310, 403)])
def test_a_signature_lives_for_five_minutes(signed, monkeypatch, seconds, status):
    _, address = signed
    moment = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=seconds)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment)
    assert call(f"{address}/flights", "drydock", "drydock").status_code == status


@pytest.mark.parametrize(
    ("times", "good"),
    [
        ({"exp": 1001}, True),
        ({"exp": 1000}, False),
        ({"exp": 1001, "nbf": 1000, "iat": 1000}, True),
        ({"exp": 1001, "nbf": 1001}, False),
        ({"exp": 1001, "iat": 1001}, False),
    ],
)
def test_a_token_expires_at_its_second(monkeypatch, times, good):
    monkeypatch.setattr("localcloud.gateway.tokens.time.time", lambda: 1000.0)
    claims = {"iss": "https://i.example", "aud": "flights", **times}
    with contextlib.nullcontext() if good else pytest.raises(Refused) as refused:
        Tokens._check_claims(claims, "https://i.example", ["flights"])
    assert good or refused.value.status == 401


def test_a_token_of_a_cognito_user_pool(apis):
    cognito = client(apis.cloud, "cognito-idp")
    pool = cognito.create_user_pool(PoolName=apis.name())["UserPool"]["Id"]
    app = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="lab", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="ada", TemporaryPassword="First-pass-1")
    cognito.admin_set_user_password(
        UserPoolId=pool, Username="ada", Password="Second-pass-2", Permanent=True
    )
    token = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=app,
        AuthFlow="ADMIN_NO_SRP_AUTH",
        AuthParameters={"USERNAME": "ada", "PASSWORD": "Second-pass-2"},
    )["AuthenticationResult"]["IdToken"]
    api, address = apis.echo(key="GET /open")
    authorizer = apis.gateway.create_authorizer(
        ApiId=api,
        AuthorizerType="JWT",
        Name="pool",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={
            "Issuer": f"https://cognito-idp.us-east-1.amazonaws.com/{pool}",
            "Audience": [app],
        },
    )["AuthorizerId"]
    target = apis.gateway.get_routes(ApiId=api)["Items"][0]["Target"]
    apis.route(api, "GET /flights", target, AuthorizationType="JWT", AuthorizerId=authorizer)
    assert bearer(f"{address}/flights", token).status_code == 200
    assert bearer(f"{address}/flights", token[:-4] + "AAAA").status_code == 401
