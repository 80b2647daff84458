"""Errors as application/problem+json (RFC 9457)."""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"


class WrongParameter(BaseModel):
    """A parameter and what is wrong with it."""

    parameter: str
    message: str


class Problem(BaseModel):
    """What went wrong: `title` is the kind, `detail` is about this request."""

    title: str
    status: int
    detail: str
    errors: list[WrongParameter] = []


class ProblemError(Exception):
    """Raised by a route to answer with a problem."""

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None):
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def response_of(
    status: int,
    detail: str,
    errors: list[WrongParameter] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return the HTTP response of a problem."""
    problem = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors or []
    )
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


def documented(*statuses: HTTPStatus) -> dict:
    """Return the `responses` of a route that may answer with these problems."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(s): {"description": s.phrase, "content": content} for s in statuses}


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem, also in its OpenAPI document."""
    described = app.openapi

    def openapi() -> dict:
        if app.openapi_schema is None:
            _describe(described())
        return app.openapi_schema

    app.openapi = openapi

    @app.exception_handler(ProblemError)
    async def problem(_: Request, error: ProblemError):
        return response_of(error.status, error.detail, headers=error.headers)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException):
        detail = (
            f"{request.method} {request.url.path}: {error.detail}; the API is described at /docs"
        )
        return response_of(error.status_code, detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def validation(_: Request, error: RequestValidationError):
        wrong = [
            WrongParameter(parameter=str(e["loc"][-1]), message=e["msg"]) for e in error.errors()
        ]
        detail = "; ".join(f"{w.parameter}: {w.message}" for w in wrong)
        return response_of(HTTPStatus.UNPROCESSABLE_ENTITY, detail, wrong)

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception):
        return response_of(
            HTTPStatus.INTERNAL_SERVER_ERROR, "this is a bug of the API; its log says where"
        )


def _describe(document: dict) -> None:
    """Put problems where FastAPI describes its own form of a validation error."""
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    invalid = documented(HTTPStatus.UNPROCESSABLE_ENTITY)[422]
    for operations in document["paths"].values():
        for operation in operations.values():
            if "422" in operation["responses"]:
                operation["responses"]["422"] = invalid
