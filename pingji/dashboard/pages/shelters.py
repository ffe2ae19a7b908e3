"""The leader's tablet: which shelter still has room, which is filling up, and one touch to divert or open a backup."""

from dash import Dash, html

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/shelters"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "shelters",
        [
            _header(language),
            html.Main(
                [
                    common.slot("shelter_totals", "shelter-totals live"),
                    common.slot("shelter_list", "shelter-list live"),
                ],
                className="shelter-side",
            ),
            common.map_box(audience="staff", interactive=True, class_name="shelter-map"),
            html.Button(
                [
                    html.Span(t("shelters.show_map", language), className="when-list"),
                    html.Span(t("shelters.show_list", language), className="when-map"),
                ],
                className="map-toggle",
                type="button",
                **{"data-toggle-map": "", "aria-pressed": "false"},
            ),
            common.first_run(language),
            html.Div(className="toasts", role="status", **{"data-slot": "toasts", "aria-live": "polite"}),
        ],
        class_name="shelters",
    )


def register(app: Dash) -> None:
    """The tablet has no callbacks: `40_shelters.js` follows the live stream and calls the API."""


def _header(language: str) -> html.Header:
    return html.Header(
        [
            html.Div([common.county_name(), common.banner()], className="shelter-head-left"),
            html.Div(
                [
                    common.connection(language),
                    common.account(language, PATH),
                ],
                className="shelter-head-right",
            ),
        ],
        className="shelter-head",
    )
