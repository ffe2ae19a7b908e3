"""The wall screen."""

from dash import Dash, html

PATH = "/wall"


def layout(**_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    return html.Div("wall")


def register(app: Dash) -> None:
    """Adds the screen's callbacks."""
