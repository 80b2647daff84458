"""The OpenAPI document as a page that needs nothing from the Internet."""

from html import escape
from pathlib import Path
from string import Template

_PAGE = Template(Path(__file__).with_name("page.html").read_text())

_OPERATION = Template("""<section>
<h2><b>$method</b> <code>$path</code> $summary</h2>
<p>$description</p>
<form data-path="$path" aria-label="Try $method $path">$inputs<button>Try it</button></form>
$parameters
<h3>Answers</h3>
<table><tr><th>status</th><th>what</th></tr>$answers</table>
$fields
</section>""")


def render(document: dict) -> str:
    """Return the HTML page of an OpenAPI `document` whose operations are all reads."""
    operations = "\n".join(
        _operation(document, method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    info = document["info"]
    return _PAGE.substitute(
        title=escape(info["title"]),
        description=escape(info.get("description", "")),
        operations=operations,
    )


def _operation(document: dict, method: str, path: str, operation: dict) -> str:
    parameters = operation.get("parameters", [])
    first, _, rest = operation.get("description", "").partition("\n\n")
    return _OPERATION.substitute(
        method=method.upper(),
        path=escape(path),
        summary=escape(first),
        description=escape(rest),
        inputs="".join(_input(parameter) for parameter in parameters),
        parameters=_table("Parameters", [_parameter_row(parameter) for parameter in parameters]),
        answers="".join(
            f"<tr><td>{status}</td><td>{escape(answer['description'])}</td></tr>"
            for status, answer in sorted(operation["responses"].items())
        ),
        fields=_fields(document, operation["responses"]["200"]),
    )


def _input(parameter: dict) -> str:
    name, where = escape(parameter["name"]), escape(parameter["in"])
    schema = _known(parameter["schema"])
    example = escape(str(schema.get("default", (schema.get("examples") or [""])[0])))
    required = " required" if parameter.get("required") else ""
    return (
        f'<label>{name}<input name="{name}" data-in="{where}" placeholder="{example}"{required}>'
        "</label>"
    )


def _parameter_row(parameter: dict) -> tuple[str, str, str]:
    schema = _known(parameter["schema"])
    what = schema.get("description") or parameter.get("description", "")
    return parameter["name"], _type(schema), what


def _fields(document: dict, answer: dict) -> str:
    """Tables of the answer's fields, and of the models in it."""
    tables, waiting, seen = [], _models(answer), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        schema = document["components"]["schemas"][name]
        rows = [_field_row(field, _known(part)) for field, part in schema["properties"].items()]
        tables.append(_table(name, rows))
        waiting += _models(schema)
    return "".join(tables)


def _field_row(name: str, schema: dict) -> tuple[str, str, str]:
    kind = _type(schema) + (" or null" if "optional" in schema else "")
    return name, kind, schema.get("description", "")


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td>"
        f"<td>{escape(what)}</td></tr>"
        for name, kind, what in rows
    )
    return (
        f"<h3>{escape(title)}</h3>"
        f"<table><tr><th>name</th><th>type</th><th>what</th></tr>{body}</table>"
    )


def _known(schema: dict) -> dict:
    """The schema of a value that is there: `int or null` becomes int, with its description."""
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    return {**options[0], **schema, "optional": True} if options else schema


def _type(schema: dict) -> str:
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    name = schema.get("format") or schema.get("type") or schema["$ref"].split("/")[-1]
    if "maximum" in schema:
        name += f" {schema['minimum']} to {schema['maximum']}"
    return name


def _models(part) -> list[str]:
    """Names of the models that a piece of the document refers to, in order."""
    if isinstance(part, dict):
        own = [part["$ref"].split("/")[-1]] if "$ref" in part else []
        return own + [name for value in part.values() for name in _models(value)]
    if isinstance(part, list):
        return [name for value in part for name in _models(value)]
    return []
