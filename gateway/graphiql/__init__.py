"""The page at /graphql: GraphiQL with five examples, served from this package.

`assets/` is the bundle that `source/` builds. `examples/` has the tabs of a first visit.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent

ASSETS: Final = _HERE / "assets"
"""The folder to serve under /graphql/assets."""

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",  # Monaco's workers
        "style-src 'self' 'unsafe-inline'",  # Monaco sets its colours and positions as styles
        "font-src 'self'",
        "img-src data:",  # Monaco's icons; pictures in responses are not loaded
        "connect-src 'self'",  # ws and wss of the same host are in 'self'
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The page may run and load only resources of its own origin.

The policy of a web worker comes with its script, so the assets have this header too.
"""


@dataclass(frozen=True)
class Example:
    """One tab of a first visit; the title is the name of its operation, the variables are JSON."""

    title: str
    query: str
    variables: str | None


def _examples() -> Iterator[Example]:
    for path in sorted((_HERE / "examples").glob("*.graphql")):
        variables = path.with_suffix(".variables.json")
        yield Example(
            title=path.stem.partition("-")[2].capitalize(),
            query=path.read_text(encoding="utf-8"),
            variables=variables.read_text(encoding="utf-8") if variables.exists() else None,
        )


EXAMPLES: Final = tuple(_examples())
"""The examples in the order of their tabs."""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>Booking gateway</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/graphql/assets/main.css">
    <script type="application/json" id="graphiql-config">%s</script>
    <script type="module" src="/graphql/assets/main.js"></script>
  </head>
  <body>
    <div id="graphiql">Loading…</div>
    <noscript>This page needs JavaScript; the gateway itself does not: POST to /graphql.</noscript>
  </body>
</html>
"""


def graphiql_page(*, token: str | None) -> str:
    """The page as HTML, with the token in its headers editor, if any.

    A new token replaces the token that the browser stored. Serve the page with a token only to this
    machine, with `Cache-Control: no-store` and
    `CONTENT_SECURITY_POLICY`.
    """
    config = {
        "endpoint": "/graphql",
        "token": token,
        "examples": [asdict(example) for example in EXAMPLES],
    }
    return _PAGE % _json_in_html(config)


def _json_in_html(value: object) -> str:
    """JSON without characters that could end or open an element of the page."""
    text = json.dumps(value)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
