"""The data API in a function, behind an HTTP API and behind a REST API."""

import io
import sys
import zipfile
from pathlib import Path

from rest_apis import RestApi

TESTS, LIB = Path(__file__).parents[2], Path(__file__).parents[3] / "lib"
sys.path.append(str(TESTS / "localcloud" / "functions"))

from functions_lab import FunctionsLab, zipped  # noqa: E402

ACCOUNT = "123456789012"


def package() -> bytes:
    """lib/containers/api as a zip file of Lambda."""
    content = io.BytesIO(zipped(""))
    with zipfile.ZipFile(content, "a") as archive:
        for path in sorted((LIB / "containers/api/api").iterdir()):
            if path.is_file():
                archive.write(path, f"api/{path.name}")
    return content.getvalue()


class InLambda:
    """``url`` is the HTTP API's; ``rest`` the REST API, whose stage wants ``key``."""

    def __init__(self, apis, bucket, binary):
        self._functions = FunctionsLab(apis.cloud)
        self._functions.iam.attach_role_policy(
            RoleName=self._functions.role.rpartition("/")[2],
            PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
        )
        name = self._functions.make(
            "",
            Handler="api.lambda_handler.handler",
            Code={"ZipFile": package()},
            MemorySize=1769,
            Environment={"Variables": {"LAKE_BUCKET": bucket}},
        )
        self._functions.client.add_permission(
            FunctionName=name,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:{ACCOUNT}:*",
        )
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
        api, self.url = apis.api()
        target = apis.gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", IntegrationUri=arn
        )["IntegrationId"]
        apis.route(api, "$default", f"integrations/{target}")
        self.rest = RestApi(apis.cloud, binaryMediaTypes=binary)
        path = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions"
        self.rest.method(
            "ANY", "/{proxy+}", f"{path}/{arn}/invocations", kind="AWS_PROXY", key=True
        )
        self.rest.deploy()
        key, self.key = self.rest.key()
        self.rest.plan(key)

    def remove(self):
        self.rest.remove()
        self._functions.remove()
