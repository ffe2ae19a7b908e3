"""The administrator's screen: people with their rights, tokens of programs and walls, devices at field posts.

`82_accounts.js` and `82_accounts_dialogs.js` fill the slots from `/api/v1/accounts`; nothing is live.
"""

from dash import Dash, html

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/accounts"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "accounts",
        [
            head("accounts.title", language, PATH),
            html.Main(
                [common.slot("accounts-bar", "acc-bar"), common.slot("accounts-list", "acc-list")],
                className="acc-main",
            ),
            html.Div(className="toasts", role="status", **{"data-slot": "toasts", "aria-live": "polite"}),
        ],
        class_name="acc",
    )


def register(app: Dash) -> None:
    """The screen has no callbacks: its assets ask the API."""


def head(title: str, language: str, path: str) -> html.Header:
    """The head of the two screens about accounts."""
    return html.Header(
        [
            html.Div([html.H1(t(title, language), className="acc-title"), common.county_name()], className="acc-brand"),
            html.Nav(
                [*common.ways(language, path), common.account(language, path)],
                className="acc-nav",
                **{"aria-label": t("desk.nav.label", language)},
            ),
        ],
        className="acc-head",
    )
