"""The application: routes over a store."""

import asyncio
import hashlib
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated

import anyio
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import URL

from api import cursors, formats, models, page, problems
from api.columns import FIELDS
from api.problems import ProblemError, documented
from api.refresh import Refresher
from api.requests import RequestIds
from api.store import Store

QUERY_SECONDS = 10.0
QUERIES_AT_ONCE = 4
# Beyond, a request is refused at once: all that wait would time out together.
WAITING_AT_MOST = 64
TYPES = {"month": "VARCHAR", **FIELDS}


def create_app(store: Store, refresher: Refresher) -> FastAPI:
    """Return the ASGI application; it starts and stops `refresher`, and closes `store`."""
    limiter = anyio.CapacityLimiter(QUERIES_AT_ONCE)

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        refresher.start()
        yield
        if refresher.stop():
            store.close()

    async def ask(question, *arguments):
        """Run `question(cursor, *arguments)` in a thread; a problem when it takes too long."""
        if not refresher.status.rows:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"there is no data yet: {refresher.status.problem}",
                {"Retry-After": "2"},
            )
        if limiter.statistics().tasks_waiting >= WAITING_AT_MOST:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "too many requests wait already; try again",
                {"Retry-After": "1"},
            )
        cursor = store.cursor()

        def answer():
            with cursor:
                return question(cursor, *arguments)

        try:
            async with asyncio.timeout(QUERY_SECONDS):
                return await anyio.to_thread.run_sync(
                    answer, abandon_on_cancel=True, limiter=limiter
                )
        except TimeoutError:
            cursor.interrupt()
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"no answer within {QUERY_SECONDS:.0f} s; ask for less, or try again",
                {"Retry-After": "5"},
            ) from None

    app = FastAPI(
        title="Flights out of New York",
        version="1",
        description="Flights and delays from the Parquet files that the ETL published.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=documented(HTTPStatus.SERVICE_UNAVAILABLE),
    )
    problems.install(app)
    app.add_middleware(RequestIds)
    other_forms = {kind: {} for kind in formats.OFFERED if kind != formats.JSON}
    answers = {
        200: {"model": models.FlightPage, "content": other_forms},
        304: {"description": "Not Modified"},
        **documented(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE),
    }

    @app.get("/flights", response_model=None, responses=answers)
    async def flights(query: Annotated[models.FlightQuery, Query()], request: Request) -> Response:
        """List flights, a page at a time, in the form that Accept asks for.

        To read on, repeat the request with the page's next as cursor. A cursor marks a
        flight, not a count: a flight that is there all the time is listed exactly once, also when
        data is replaced between two pages. The header Link names the next page, too.
        """
        kind = formats.chosen(request.headers.get("accept", ""))
        etag = _etag(refresher.version, kind, query.model_dump_json())
        headers = {"ETag": etag, "Vary": "Accept", "Cache-Control": "no-cache"}
        filters = query.filters()
        after = -1
        if query.cursor is not None:
            try:
                after = cursors.decode(query.cursor, filters)
            except cursors.BadCursor:
                raise ProblemError(
                    HTTPStatus.BAD_REQUEST,
                    "cursor: not one that this API gave for these filters; keep the filters of "
                    "the first page, or leave the cursor out to start again",
                ) from None
        if refresher.version and _matches(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        names = query.columns()
        found = await ask(store.flights, filters, after, query.limit, names)
        following = None if found.last is None else cursors.encode(found.last, filters)
        if following:
            there = URL(f"?{request.url.query}").include_query_params(cursor=following)
            headers["Link"] = f'<{there}>; rel="next"'
        fields = {name: TYPES[name] for name in names}
        body = formats.written(found.rows, following, kind, fields)
        return Response(body, media_type=kind, headers=headers)

    @app.get("/carriers")
    async def carriers() -> models.CarrierList:
        """List all carriers with their totals."""
        return {"items": await ask(store.carriers)}

    @app.get("/carriers/{code}/delays", responses=documented(HTTPStatus.NOT_FOUND))
    async def delays(
        code: Annotated[models.Carrier, Path()],
    ) -> models.CarrierDelays:
        """Show the delays of a carrier by month."""
        months = await ask(store.delays_by_month, code)
        if not months:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, f"no flight of carrier {code}; GET /carriers lists them"
            )
        return {"carrier": code, "items": months}

    @app.get("/healthz")
    async def healthz() -> models.Health:
        """Say what is served; 503 while there is nothing."""
        status = refresher.status
        if not status.rows:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(status.problem))
        return {
            "status": "ok",
            "months": list(status.rows),
            "rows": sum(status.rows.values()),
            "problem": status.problem,
        }

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page.render(app.openapi()))

    return app


def _etag(*parts: str) -> str:
    return f'W/"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def _matches(header: str, etag: str) -> bool:
    """Whether If-None-Match names the entity (RFC 9110, 13.1.2: compared as weak ones)."""
    named = [word.strip().removeprefix("W/") for word in header.split(",")]
    return "*" in named or etag.removeprefix("W/") in named
