"""An API that lets everybody in but the page that it was made for."""

from drydock.study.repair import browser, gateways, making
from drydock.study.repair.browser import Blocked
from drydock.study.repair.case import Case
from drydock.study.repair.shown import Rule

PAGE, STRANGER = "https://delays.example", "https://evil.example"
HEADERS = {"Authorization": "Bearer of-the-lab", "X-Request-From": "delays"}
REQUESTS = (("GET", "/delays"), ("PUT", "/delays/UA"))
SETTINGS = {
    "AllowOrigins": ["http://delays.example"],
    "AllowMethods": ["GET"],
    "AllowHeaders": ["x-request-from"],
    "MaxAge": 0,
}


class CorsRefused(Case):
    lesson = "6"
    title = "It works in curl"
    skills = ("1.2.8", "3.1.5", "1.2.7")
    minutes = 15
    asked = (
        f"Let the page {PAGE} read the delays and mark a carrier as seen. With curl and the same "
        "headers both requests get 200; in the browser the page stays empty."
    )
    goal = (
        "The page's GET and PUT get through in a browser, with its Authorization header, its own "
        "header and its cookies. No other origin is let in, and no other method and header."
    )
    look = (
        "case.browse(): what a browser makes of the page's two requests",
        "apigatewayv2.get_api: CorsConfiguration, and the page's own words: its origin, GET and "
        f"PUT, the headers {' and '.join(HEADERS)}, cookies",
        "an OPTIONS request of your own, with Origin and Access-Control-Request-Method",
    )
    hints = (
        "The API refuses nobody: the browser does, on the API's advice. It asks first, with a "
        "preflight. An origin is scheme, host and port, letter by letter.",
        "One thing after the other is wrong: the origin's scheme, then a header, then a method, "
        "and cookies want AllowCredentials. Where credentials go along, * is no name for anything.",
        "apigatewayv2.update_api(ApiId=case.api_id, CorsConfiguration={'AllowOrigins': "
        f"['{PAGE}'], 'AllowMethods': ['GET', 'PUT'], 'AllowHeaders': ['authorization', "
        "'x-request-from'], 'AllowCredentials': True}).",
    )
    handy = "case.browse() plays the browser; case.api_id; case.url is where the API is called"

    @property
    def api_id(self) -> str:
        """Id of the lab's HTTP API."""
        return gateways.described(self)["ApiId"]

    @property
    def url(self) -> str:
        """Where the stage of the lab's API is called."""
        return gateways.url(self)

    def browse(self, page: str = PAGE) -> list[str]:
        """What becomes of the page's two requests in a browser, a line each."""
        return [
            f"{method} {path}: {self._fetched(page, method, path)}" for method, path in REQUESTS
        ]

    def build(self) -> list[str]:
        making.log_group(self)
        api = gateways.create(self)
        gateways.function(self, "delays", "GET /delays", "PUT /delays/{carrier}")
        self.client("apigatewayv2").update_api(ApiId=api, CorsConfiguration=SETTINGS)
        elsewhere = [gateways.ask(self.url + path, method, HEADERS) for method, path in REQUESTS]
        return [
            *(
                f"outside a browser, {method} {path}: {answer.status_code}"
                for (method, path), answer in zip(REQUESTS, elsewhere, strict=True)
            ),
            *(f"in a browser, {line}" for line in self.browse()),
        ]

    def clean(self) -> None:
        gateways.clean(self)

    def rules(self):
        yield Rule("wildcard", "The origins that may send cookies are named", self._why_everybody)
        yield Rule("page", f"Both requests of {PAGE} get through", self._why_blocked)
        yield Rule(
            "strangers",
            f"No request of {STRANGER} gets through",
            self._why_strangers,
        )
        yield Rule("least", "Nothing is allowed that the page does not use", self._why_too_much)

    def _fetched(self, page: str, method: str, path: str) -> str:
        try:
            answer = browser.fetch(page, self.url + path, method, HEADERS, credentials=True)
        except Blocked as blocked:
            return f"blocked: {blocked}"
        return str(answer.status_code)

    def _settings(self) -> dict:
        return gateways.described(self).get("CorsConfiguration", {})

    def _why_everybody(self) -> str | None:
        if "*" in self._settings().get("AllowOrigins", []):
            return (
                "AllowOrigins has *: with cookies no browser accepts that, and without them every "
                "page of the web reads the answers."
            )
        return None

    def _why_blocked(self) -> str | None:
        bad = [line for line in self.browse() if not line.endswith(": 200")]
        return f"{bad[0]}." if bad else None

    def _why_strangers(self) -> str | None:
        through = [line for line in self.browse(STRANGER) if "blocked" not in line]
        if through:
            return f"It gets an answer to {through[0].partition(':')[0]}, with the user's cookies."
        return None

    def _why_too_much(self) -> str | None:
        used = {
            "AllowMethods": {method.lower() for method, _ in REQUESTS},
            "AllowHeaders": {name.lower() for name in HEADERS},
        }
        for key, names in used.items():
            more = {one.lower() for one in self._settings().get(key, [])} - names
            if more:
                return f"{key} has {', '.join(sorted(more))} too."
        return None

    def belongings(self) -> str:
        return f"HTTP API and function {self.prefix}, its stage {gateways.STAGE}"


LAB = CorsRefused
