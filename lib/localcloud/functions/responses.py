"""Lambda on the wire: moto parses and keeps functions, and an invocation really runs."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.responses import LambdaResponse

from localcloud.functions import rules

if TYPE_CHECKING:
    from localcloud.functions import Functions

TAIL_BYTES = 4096
JSON_ERROR = "Could not parse request body into json: {}"


class Responses(LambdaResponse):
    functions: Functions  # set when the service is registered

    def create_function(self) -> Any:
        given = self.json_body
        rules.check_settings(given)
        rules.check_source(given.get("Code") or {})
        return super().create_function()

    def update_function_configuration(self) -> Any:
        rules.check_settings(self.json_body)
        answer = super().update_function_configuration()
        self.functions.forget(self._named(-2))
        return answer

    def update_function_code(self) -> Any:
        rules.check_source(self.json_body)
        answer = super().update_function_code()
        self.functions.forget(self._named(-2))
        return answer

    def delete_function(self) -> Any:
        answer = super().delete_function()
        self.functions.forget(self._named(-1))
        return answer

    def invoke(self) -> Any:
        name = unquote(self.path.rsplit("/", 2)[-2])
        kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        function = self.backend.get_function(name, self._get_param("Qualifier"))
        rules.check_role(function.role)
        if kind == "DryRun":
            return 204, {"status": 204}, ""
        body = self.body or b"{}"
        payload = body.encode() if isinstance(body, str) else body
        most = rules.LARGEST_ASYNC if kind == "Event" else rules.LARGEST_SYNC
        if len(payload) > most:
            raise rules.RequestTooLarge(most)
        try:
            json.loads(payload)
        except ValueError as error:
            raise LambdaClientError(
                "InvalidRequestContentException", JSON_ERROR.format(error)
            ) from None
        if kind == "Event":
            self.functions.events.accept(function, payload)
            return 202, {"status": 202}, ""
        outcome = self.functions.invoke(function, payload)
        headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
        if outcome.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            tail = outcome.log.encode()[-TAIL_BYTES:]
            headers["X-Amz-Log-Result"] = base64.b64encode(tail).decode()
        return 200, headers, outcome.body

    def invoke_async(self) -> Any:
        """The older way to send an event, which AWS still answers."""
        self.headers = {**self.headers, "X-Amz-Invocation-Type": "Event"}
        self.path = self.path.rstrip("/").removesuffix("/invoke-async") + "/invocations"
        return self.invoke()

    def update_function_url_config(self) -> Any:
        self.backend.get_function_url_config(self._named(-2))  # raises if there is none
        return super().update_function_url_config()

    def _named(self, place: int) -> str:
        return unquote(self.path.split("/")[place]).split(":function:")[-1].split(":")[0]
