"""One's own account: rights in words, password, second factor, where one is signed in. `83_account.js` fills it."""

from dash import Dash, html

from pingji.dashboard.pages import accounts, common

PATH = "/account"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "account",
        [
            accounts.head("accounts.own.title", language, PATH),
            html.Main(common.slot("account-cards", "mine-cards"), className="acc-main"),
            html.Div(className="toasts", role="status", **{"data-slot": "toasts", "aria-live": "polite"}),
        ],
        class_name="acc",
    )


def register(app: Dash) -> None:
    """The screen has no callbacks: its asset asks the API."""
