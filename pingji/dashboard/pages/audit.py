"""The auditor's screen: whether the chain is whole, a search, and the entries that fit.

`80_audit.js` and `81_audit_rows.js` fill the slots from `/api/v1/audit`; nothing is live, it shows what was asked.
"""

from dash import Dash, html

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/audit"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "audit",
        [
            _header(language),
            html.Section(
                className="audit-chain",
                role="status",
                **{"data-slot": "audit-chain", "aria-label": t("audit.chain.title", language)},
            ),
            html.Section(
                className="audit-filter",
                **{"data-slot": "audit-filter", "aria-label": t("audit.filter.title", language)},
            ),
            html.Main(
                className="audit-entries",
                **{"data-slot": "audit-entries", "aria-label": t("audit.label", language), "aria-live": "polite"},
            ),
            html.Div(className="toasts", role="status", **{"data-slot": "toasts", "aria-live": "polite"}),
        ],
        class_name="audit",
    )


def register(app: Dash) -> None:
    """The screen has no callbacks: its assets ask the API."""


def _header(language: str) -> html.Header:
    return html.Header(
        [
            html.Div(
                [html.H1(t("audit.title", language), className="audit-title"), common.county_name()],
                className="audit-brand",
            ),
            html.P(t("audit.lead", language), className="audit-lead"),
            html.Nav(
                [*common.ways(language, PATH), common.account(language, PATH)],
                className="audit-nav",
                **{"aria-label": t("desk.nav.label", language)},
            ),
        ],
        className="audit-head",
    )
