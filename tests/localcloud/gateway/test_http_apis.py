"""HTTP APIs: routes, stages, private integrations, CORS, limits, access logs."""

import json
import ssl
import subprocess

import httpx
import pytest
from balancers import Echo, get
from botocore.exceptions import ClientError
from live import client, wait_for

from localcloud.gateway.throttle import Bucket


def said(answer):
    """The path that the integration saw."""
    assert answer.status_code == 200, answer.text
    return answer.text.split("\n")[1]


def test_routes_from_specific_to_default(apis):
    server = apis.server()
    api, address = apis.api()
    base = f"http://{server.address}:{server.port}"
    for key, path in {
        "GET /flights": "/list",
        "GET /flights/{id}": "/one/{id}",
        "ANY /flights/{proxy+}": "/rest/{proxy}",
        "$default": "/default",
    }.items():
        apis.route(api, key, apis.integration(api, base + path))
    assert said(get(f"{address}/flights")) == "/list"
    assert said(get(f"{address}/flights/7?x=1")) == "/one/7?x=1"
    assert said(get(f"{address}/flights/7/legs")) == "/rest/7/legs"
    assert said(httpx.post(f"{address}/flights/7", trust_env=False)) == "/rest/7"
    assert said(get(f"{address}/other")) == "/default"


def test_what_has_no_route_or_stage_is_404(apis):
    _, address = apis.echo("prod", "GET /flights")
    assert get(f"{address}/flights").status_code == 200
    for url in (f"{address}/nothing", f"{address.removesuffix('/prod')}/flights"):
        answer = get(url)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
        assert answer.headers["apigw-requestid"]


@pytest.fixture
def authority(apis, tmp_path):
    """A file with what the names of APIs are verified with: ACM's authority."""
    acm = client(apis.cloud, "acm")
    arn = acm.request_certificate(DomainName="any.example", ValidationMethod="DNS")[
        "CertificateArn"
    ]
    file = tmp_path / "ca.pem"
    file.write_text(acm.get_certificate(CertificateArn=arn)["CertificateChain"])
    return file


def test_an_invoke_url_of_awss_form_leads_to_the_address_of_create_api(apis, authority):
    """Told by curl --resolve, or by a line in the machine's hosts file."""
    api, address = apis.echo("prod", "GET /flights")
    host, name = httpx.URL(address).host, f"{api}.execute-api.us-east-1.amazonaws.com"
    if httpx.URL(address).port:
        pytest.skip("without the right to port 80 there is none to port 443")

    def curl(*more):
        command = ["curl", "-sS", "--noproxy", "*", "--resolve", f"{name}:443:{host}", *more]
        url = f"https://{name}/prod/flights"
        return subprocess.run([*command, url], capture_output=True, text=True)

    answer = curl("--cacert", authority).stdout
    assert answer.startswith("GET\n")
    assert "X-Forwarded-Proto: https" in answer
    assert f"host={name};proto=https" in answer
    assert curl().returncode == 60  # the machine's own authorities do not know it
    context = ssl.create_default_context(cafile=authority)
    with httpx.Client(verify=context, trust_env=False) as http:
        assert said(http.get(f"https://{host}/prod/flights")) == "/"


def test_a_body_and_headers_go_through(apis):
    _, address = apis.echo()
    answer = httpx.post(address, content=b"x" * 100_000, headers={"X-Own": "1"}, trust_env=False)
    assert answer.text.endswith("x" * 100_000)
    assert "X-Own: 1" in answer.text
    assert "Via: HTTP/1.1 AmazonAPIGateway" in answer.text


@pytest.mark.slow
def test_a_private_integration_reaches_an_internal_load_balancer(apis):
    link, stranger = apis.security_group(), apis.security_group()
    entrance = apis.security_group((80, link))
    api, address = apis.api("v1")
    mapped = {"overwrite:path": "$request.path"}
    target = apis.private(api, [link], [entrance], RequestParameters=mapped)
    apis.route(api, "GET /flights", target)
    assert said(get(f"{address}/flights?limit=1")) == "/flights?limit=1"
    apis.route(api, "GET /stage", apis.private(api, [link], [entrance]))
    assert said(get(f"{address}/stage")) == "/v1/stage"
    apis.route(api, "GET /closed", apis.private(api, [stranger], [entrance]))
    answer = get(f"{address}/closed")
    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})


def test_503_where_nothing_listens_and_504_beyond_the_limit(apis):
    server = apis.server()
    api, address = apis.api()
    base = f"http://{server.address}:{server.port}/slow"
    quick = apis.integration(api, f"{base}/0.2", TimeoutInMillis=3000)
    apis.route(api, "GET /quick", quick)
    apis.route(api, "GET /slow", apis.integration(api, f"{base}/3", TimeoutInMillis=500))
    apis.route(api, "GET /gone", apis.integration(api, "http://127.4.250.1:9"))
    assert get(f"{address}/quick").status_code == 200
    assert get(f"{address}/slow").status_code == 504
    assert get(f"{address}/gone").status_code == 503


@pytest.mark.parametrize(("size", "status"), [(10 * 2**20, 200), (10 * 2**20 + 1, 413)])
def test_the_largest_body(apis, size, status):
    class Weighs(Echo):
        def do_POST(self):
            weight = str(len(self.rfile.read(int(self.headers["Content-Length"])))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(weight)))
            self.end_headers()
            self.wfile.write(weight)

    server = apis.server(Weighs)
    api, address = apis.api()
    apis.route(api, "$default", apis.integration(api, f"http://{server.address}:{server.port}"))
    answer = httpx.post(address, content=b"x" * size, trust_env=False, timeout=30)
    assert (answer.status_code, answer.text) in [
        (200, str(10 * 2**20)),
        (413, '{"message":"Request Entity Too Large"}'),
    ]
    assert answer.status_code == status


@pytest.mark.parametrize(("size", "status"), [(10 * 2**20, 200), (10 * 2**20 + 1, 500)])
def test_the_largest_answer(apis, size, status):
    class Large(Echo):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(b"x" * size)

    server = apis.server(Large)
    api, address = apis.api()
    apis.route(api, "$default", apis.integration(api, f"http://{server.address}:{server.port}"))
    answer = get(address)
    assert answer.status_code == status
    assert len(answer.content) == size or answer.json() == {"message": "Internal Server Error"}


def test_a_bucket_of_tokens_at_its_boundaries():
    bucket = Bucket(rate=2, burst=3, now=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.0 + seconds) for seconds in (0.25, 0.5, 0.5)] == [False, True, False]
    # However long nobody asks, no more than the burst has gathered.
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]


def test_throttling_and_recovery(apis):
    limits = {"ThrottlingRateLimit": 2.0, "ThrottlingBurstLimit": 5}
    _, address = apis.echo(DefaultRouteSettings=limits)
    codes = [get(address).status_code for _ in range(12)]
    assert codes[:5] == [200] * 5
    assert codes.count(429) >= 3
    refused = wait_for(lambda: (a := get(address)).status_code == 429 and a, "a refusal")
    assert refused.json() == {"message": "Too Many Requests"}
    wait_for(lambda: get(address).status_code == 200, "recovery")


def test_a_changed_limit_holds_at_once(apis):
    api, address = apis.echo("v1", "GET /x")
    assert [get(f"{address}/x").status_code for _ in range(3)] == [200] * 3
    limits = {"ThrottlingRateLimit": 0.01, "ThrottlingBurstLimit": 1}
    apis.gateway.update_stage(ApiId=api, StageName="v1", DefaultRouteSettings=limits)
    assert [get(f"{address}/x").status_code for _ in range(3)] == [200, 429, 429]
    found = apis.gateway.get_stage(ApiId=api, StageName="v1")["DefaultRouteSettings"]
    assert (found["ThrottlingRateLimit"], found["ThrottlingBurstLimit"]) == (0.01, 1)
    apis.gateway.update_stage(
        ApiId=api,
        StageName="v1",
        RouteSettings={"GET /x": {"ThrottlingRateLimit": 1000.0, "ThrottlingBurstLimit": 1000}},
    )
    assert [get(f"{address}/x").status_code for _ in range(3)] == [200] * 3
    with pytest.raises(ClientError, match="NotFound"):
        apis.gateway.update_stage(ApiId=api, StageName="nothing", Description="x")


def test_cors(apis):
    settings = {
        "AllowOrigins": ["https://lab.example"],
        "AllowMethods": ["GET"],
        "AllowHeaders": ["authorization"],
        "MaxAge": 60,
    }
    _, address = apis.echo(key="GET /x", CorsConfiguration=settings)
    asked = {"Origin": "https://lab.example", "Access-Control-Request-Method": "GET"}
    answer = httpx.options(f"{address}/x", headers=asked, trust_env=False)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://lab.example"
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert answer.headers["access-control-max-age"] == "60"
    other = {**asked, "Origin": "https://evil.example"}
    answer = httpx.options(f"{address}/x", headers=other, trust_env=False)
    assert "access-control-allow-origin" not in answer.headers
    answer = get(f"{address}/x", headers={"Origin": "https://lab.example"})
    assert answer.headers["access-control-allow-origin"] == "https://lab.example"


def test_access_logs_go_to_cloudwatch(apis):
    logs = client(apis.cloud, "logs")
    group = f"/test/{apis.name()}"
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    form = '{"id":"$context.requestId","status":$context.status,"route":"$context.routeKey"}'
    settings = {"DestinationArn": arn, "Format": form}
    _, address = apis.echo(key="GET /x", AccessLogSettings=settings)
    ids = [get(f"{address}/{path}").headers["apigw-requestid"] for path in ("x", "y")]
    events = wait_for(
        lambda: len(e := logs.filter_log_events(logGroupName=group)["events"]) == 2 and e, "lines"
    )
    lines = [json.loads(event["message"]) for event in events]
    assert [one["id"] for one in lines] == ids
    assert [(one["status"], one["route"]) for one in lines] == [(200, "GET /x"), (404, "-")]


def test_a_deleted_api_no_longer_answers(apis):
    api, address = apis.echo()
    assert get(address).status_code == 200
    apis.gateway.delete_api(ApiId=api)
    with pytest.raises(httpx.ConnectError):
        get(address)
    apis.made.pop_all()


def test_a_timeout_beyond_the_limit_is_refused(apis):
    api, _ = apis.api()
    apis.integration(api, "http://127.4.0.1", TimeoutInMillis=30_000)
    with pytest.raises(ClientError, match="between 50 ms and 30000 ms"):
        apis.integration(api, "http://127.4.0.1", TimeoutInMillis=30_001)


@pytest.mark.parametrize("key", ["FETCH /x", "GET x", "GET", ""])
def test_a_bad_route_key_is_refused(apis, key):
    api, _ = apis.api()
    with pytest.raises(ClientError, match="Invalid route key"):
        apis.gateway.create_route(ApiId=api, RouteKey=key)


def test_a_route_key_is_one_routes(apis):
    api, _ = apis.echo()
    with pytest.raises(ClientError, match="already exists"):
        apis.gateway.create_route(ApiId=api, RouteKey="$default")
