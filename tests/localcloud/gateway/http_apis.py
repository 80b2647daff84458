"""HTTP APIs in boto3, removed after the test."""

import time

from balancers import Balancers, forward
from joserfc import jwt
from joserfc.jwk import RSAKey
from live import client


class Apis(Balancers):
    def __init__(self, cloud):
        super().__init__(cloud)
        self.cloud = cloud
        self.gateway = client(cloud, "apigatewayv2")

    def api(self, stage="$default", **changes):
        """An API with a stage: its id and its invoke URL."""
        options = {name: changes.pop(name) for name in list(changes) if name == "CorsConfiguration"}
        made = self.gateway.create_api(Name=self.name(), ProtocolType="HTTP", **options)
        self.made.callback(self.gateway.delete_api, ApiId=made["ApiId"])
        self.gateway.create_stage(ApiId=made["ApiId"], StageName=stage, AutoDeploy=True, **changes)
        path = "" if stage == "$default" else f"/{stage}"
        return made["ApiId"], made["ApiEndpoint"] + path

    def integration(self, api, address, **changes):
        made = self.gateway.create_integration(
            ApiId=api,
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="ANY",
            PayloadFormatVersion="1.0",
            IntegrationUri=address,
            **changes,
        )
        return f"integrations/{made['IntegrationId']}"

    def route(self, api, key, target, **changes):
        self.gateway.create_route(ApiId=api, RouteKey=key, Target=target, **changes)

    def echo(self, stage="$default", key="$default", route=None, **changes):
        """An API whose one route leads to a program that answers what it was asked."""
        server = self.server()
        api, address = self.api(stage, **changes)
        target = self.integration(
            api,
            f"http://{server.address}:{server.port}/{{proxy}}"
            if "{proxy+}" in key
            else f"http://{server.address}:{server.port}",
        )
        self.route(api, key, target, **(route or {}))
        return api, address

    def private(self, api, link_groups, balancer_groups, **changes):
        """A VPC link to a load balancer with one healthy target, as an integration."""
        server, group = self.server(), self.group()
        balancer = self.balancer(balancer_groups, Scheme="internal")
        listener = self.listener(balancer, forward(group))
        self.register(group, server)
        self.wait(group, "healthy")
        link = self.gateway.create_vpc_link(
            Name=self.name(), SubnetIds=self.subnets, SecurityGroupIds=link_groups
        )["VpcLinkId"]
        return self.integration(
            api,
            listener["ListenerArn"],
            ConnectionType="VPC_LINK",
            ConnectionId=link,
            **changes,
        )


class Issuer:
    """An OpenID provider: publishes its keys, and signs tokens."""

    def __init__(self, server):
        self.url = f"http://{server.address}:{server.port}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"}, private=True)

    def documents(self):
        return {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/k"},
            "/k": {"keys": [self.key.as_dict(private=False)]},
        }

    def token(self, key=None, header=None, **changes):
        now = int(time.time())
        claims = {"iss": self.url, "aud": "flights", "exp": now + 60, "iat": now - 1, **changes}
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one", **(header or {})}, given, key or self.key)
