"""HTTPS listeners: the certificate that a client gets, and who trusts it."""

import datetime as dt
import ssl
import subprocess

import httpx
import pytest
from balancers import Balancers, forward
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from live import client

from drydock import cloud as local_cloud

NAME = "api.example.com"
FIXED = {
    "Type": "fixed-response",
    "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "over TLS"},
}


class Secured:
    """A load balancer with an HTTPS listener on port 443."""

    def __init__(self, elb, certificate, action=FIXED, **more):
        self.elb = elb
        self.balancer = elb.balancer([elb.security_group((443, "0.0.0.0/0"), (80, "0.0.0.0/0"))])
        self.listener = elb.elbv2.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"],
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[action],
            **more,
        )["Listeners"][0]
        self.address = f"https://{self.balancer['DNSName']}:{self.listener['Port']}"

    def get(self, trusted, name=NAME, path="/"):
        """As a client that finds the balancer by a name of DNS."""
        context = ssl.create_default_context(cadata=trusted)
        with httpx.Client(verify=context, trust_env=False, timeout=20) as http:
            return http.get(
                self.address + path, headers={"Host": name}, extensions={"sni_hostname": name}
            )


def requested(acm, name=NAME):
    """A certificate's ARN, and what to verify it with."""
    arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn)
    return arn, acm.get_certificate(CertificateArn=arn)["CertificateChain"]


def self_made(name):
    """A certificate of one's own and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return made.public_bytes(pem), key.private_bytes(pem, form, none)


@pytest.fixture(scope="module")
def acm(cloud):
    return client(cloud, "acm")


def test_a_client_that_trusts_the_authority_is_served(elb, acm):
    server, group = elb.server(), elb.group()
    arn, trusted = requested(acm)
    secured = Secured(elb, arn, forward(group))
    elb.register(group, server)
    elb.wait(group, "healthy")
    answer = secured.get(trusted, path="/x?y=1")
    assert answer.status_code == 200
    assert answer.text.split("\n")[:2] == ["GET", "/x?y=1"]
    assert "X-Forwarded-Proto: https" in answer.text
    for name, authority in ((NAME, self_made(NAME)[0].decode()), ("other.example.com", trusted)):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            secured.get(authority, name)


def test_curl_is_served_too(elb, acm, tmp_path):
    arn, trusted = requested(acm)
    secured = Secured(elb, arn)
    (tmp_path / "ca.pem").write_text(trusted)
    port = secured.listener["Port"]
    where = f"{NAME}:{port}:{secured.balancer['DNSName']}"
    command = ["curl", "-sS", "--noproxy", "*", "--cacert", str(tmp_path / "ca.pem")]
    command += ["--resolve", where, f"https://{NAME}:{port}/"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "over TLS"


def test_an_imported_certificate_takes_the_place_of_another(elb, acm):
    arn, trusted = requested(acm)
    secured = Secured(elb, arn)
    assert secured.get(trusted).text == "over TLS"
    certificate, key = self_made("own.example.com")
    own = acm.import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]
    elb.elbv2.modify_listener(
        ListenerArn=secured.listener["ListenerArn"], Certificates=[{"CertificateArn": own}]
    )
    assert secured.get(certificate.decode(), "own.example.com").text == "over TLS"
    with pytest.raises(httpx.ConnectError):
        secured.get(trusted)


def test_a_policy_of_tls_1_3_refuses_1_2(elb, acm):
    arn, trusted = requested(acm)
    strict = Secured(elb, arn, SslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06")
    usual = Secured(elb, arn)
    old = ssl.create_default_context(cadata=trusted)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    asked = {"headers": {"Host": NAME}, "extensions": {"sni_hostname": NAME}}
    with httpx.Client(verify=old, trust_env=False, timeout=20) as http:
        assert http.get(usual.address, **asked).text == "over TLS"
        with pytest.raises(httpx.ConnectError):
            http.get(strict.address, **asked)
    assert strict.get(trusted).text == "over TLS"


def test_http_is_redirected_to_https(elb, acm):
    arn, _ = requested(acm)
    secured = Secured(elb, arn)
    config = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    plain = elb.listener(secured.balancer, {"Type": "redirect", "RedirectConfig": config})
    url = f"http://{secured.balancer['DNSName']}:{plain['Port']}/x?y=1"
    answer = httpx.get(url, headers={"Host": NAME}, trust_env=False)
    assert answer.status_code == 301
    assert answer.headers["location"] == f"https://{NAME}:443/x?y=1"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Protocol": "HTTPS"}, "ValidationError"),
        ({"Protocol": "TLS"}, "ValidationError"),
        (
            {
                "Protocol": "HTTPS",
                "Certificates": [
                    {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/none"}
                ],
            },
            "CertificateNotFound",
        ),
    ],
)
def test_a_listener_without_a_certificate_is_refused(elb, given, code):
    balancer = elb.balancer()
    with pytest.raises(ClientError) as caught:
        elb.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"], Port=443, DefaultActions=[FIXED], **given
        )
    assert caught.value.response["Error"]["Code"] == code


def test_certificates_outlive_the_server(home):
    cloud = local_cloud.start(home, port=0)
    arn, trusted = requested(client(cloud, "acm"))
    secured = Secured(Balancers(cloud), arn)
    local_cloud.stop(home)
    local_cloud.start(home, port=0)
    assert secured.get(trusted).text == "over TLS"
    assert (home / "acm" / "ca.key").stat().st_mode & 0o077 == 0
