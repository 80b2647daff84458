"""The application: routes over a store."""

import asyncio
import hashlib
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

import anyio
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from api import cursors, formats, models, page, problems, requests
from api.columns import FIELDS
from api.guards import BodyLimit, Shedding
from api.lookups import Lookups
from api.metrics import Metrics
from api.problems import ProblemError, documented
from api.refresh import Refresher
from api.requests import RequestIds
from api.store import NAMES, Store

QUERY_SECONDS = 10.0
QUERIES_AT_ONCE = 4
# Beyond, a request is refused at once: all that wait would time out together.
WAITING_AT_MOST = 64
TYPES = {"month": "VARCHAR", **FIELDS}


def create_app(
    store: Store,
    refresher: Refresher,
    lookups: Lookups | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """Return the ASGI application; it starts and stops what it is given, and closes `store`.

    Without `lookups` there is nothing to expand; without `metrics` none are kept.
    """
    limiter = anyio.CapacityLimiter(QUERIES_AT_ONCE)

    @asynccontextmanager
    async def lifespan(_: FastAPI):
        refresher.start()
        if metrics:
            metrics.start()
        if lookups:
            await lookups.open()
        yield
        if lookups:
            await lookups.close()
        if metrics:
            await anyio.to_thread.run_sync(metrics.stop)
        if refresher.stop():
            store.close()

    def check_data():
        if not refresher.status.rows:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"there is no data yet: {refresher.status.problem}",
                {"Retry-After": "2"},
            )

    async def ask(question, *arguments):
        """Run `question(cursor, *arguments)` in a thread; a problem when it takes too long."""
        check_data()
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
        responses=documented(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.SERVICE_UNAVAILABLE),
    )
    problems.install(app)
    observe = metrics.observe if metrics else _unseen
    # The last one added is the outermost.
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestIds, observe=observe)
    app.add_middleware(Shedding, observe=observe)
    other_forms = {kind: {} for kind in formats.OFFERED if kind != formats.JSON}
    answers = {
        200: {"model": models.FlightPage, "content": other_forms},
        304: {"description": "Not Modified"},
        **documented(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.UNPROCESSABLE_ENTITY
        ),
    }

    # Read by ourselves: FastAPI takes longer over eight parameters than all the rest takes.
    @app.get(
        "/flights",
        response_model=None,
        responses=answers,
        openapi_extra={"parameters": requests.parameters(models.FlightQuery)},
    )
    async def flights(request: Request) -> Response:
        """List flights, a page at a time, in the form that Accept asks for.

        To read on, repeat the request with the page's next as cursor. A cursor marks a
        flight, not a count: a flight that is there all the time is listed exactly once, also when
        data is replaced between two pages. The header Link names the next page, too.
        """
        query = requests.query(request, models.FlightQuery)
        kind = formats.chosen(request.headers.get("accept", ""))
        etag = _etag(refresher.version, kind, request.scope["query_string"])
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
        pages = refresher.pages
        if kind == formats.JSON and names == NAMES and pages:
            check_data()
            written, last = pages.page(filters, after, query.limit)
        else:
            written = None
            found = await ask(store.flights, filters, after, query.limit, names)
            last = found.last
        following = None if last is None else cursors.encode(last, filters)
        if following:
            there = urlencode(dict(request.query_params) | {"cursor": following})
            headers["Link"] = f'<?{there}>; rel="next"'
        if written is not None:
            return Response(formats.page(written, following), media_type=kind, headers=headers)
        fields = {name: TYPES[name] for name in names}
        body = formats.written(found.rows, following, kind, fields)
        return Response(body, media_type=kind, headers=headers)

    @app.get(
        "/flights/{flight_key}",
        response_model=models.FlightDetail,
        response_model_exclude_unset=True,
        responses=documented(
            HTTPStatus.NOT_FOUND, HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.GATEWAY_TIMEOUT
        ),
    )
    async def one_flight(
        flight_key: Annotated[int, Path(ge=0, lt=2**63)],
        query: Annotated[models.FlightExpansion, Query()],
    ) -> dict:
        """Show one flight, with its airline, airports and plane where expand asks for them.

        Those come from the database of lookup tables; 503 while that, or a connection to it, is
        not to be had.
        """
        names = query.names()
        if names and not lookups:
            raise ProblemError(
                HTTPStatus.NOT_IMPLEMENTED,
                "expand: this API was started without DB_SECRET, so it has no lookup tables",
            )
        found = await ask(store.flight, flight_key)
        if not found:
            raise ProblemError(
                HTTPStatus.NOT_FOUND, f"no flight has the key {flight_key}; GET /flights lists them"
            )
        return found | (await lookups.expand(found, names) if names else {})

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


def _unseen(route: str | None, status: int, milliseconds: float) -> None:
    """Where nobody keeps metrics."""


def _etag(*parts: str | bytes) -> str:
    return f'W/"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def _matches(header: str, etag: str) -> bool:
    """Whether If-None-Match names the entity (RFC 9110, 13.1.2: compared as weak ones)."""
    named = [word.strip().removeprefix("W/") for word in header.split(",")]
    return "*" in named or etag.removeprefix("W/") in named
