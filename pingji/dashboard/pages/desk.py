"""The desk screen."""

from dash import Dash, html

PATH = "/"


def layout(**_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    return html.Div("desk")


def register(app: Dash) -> None:
    """Adds the screen's callbacks."""
