"""The application: routes over a store."""

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated

import anyio
from fastapi import FastAPI, Path, Query
from fastapi.responses import HTMLResponse

from api import cursors, models, page, problems
from api.problems import ProblemError, documented
from api.refresh import Refresher
from api.store import Store

QUERY_SECONDS = 10.0
QUERIES_AT_ONCE = 4


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

    @app.get("/flights", responses=documented(HTTPStatus.BAD_REQUEST))
    async def flights(query: Annotated[models.FlightQuery, Query()]) -> models.FlightPage:
        """List flights, a page at a time.

        To read on, repeat the request with the page's next as cursor. A cursor marks a
        flight, not a count: a flight that is there all the time is listed exactly once, also when
        data is replaced between two pages.
        """
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
        found = await ask(store.flights, filters, after, query.limit)
        following = None if found.last is None else cursors.encode(found.last, filters)
        return {"items": found.rows, "next": following}

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
