"""The map desk: layers and search on the left, the map, mode and head-count on the right.

The assets `50_desk.js` to `54_desk_journal.js` fill the slots; nothing here waits for the server twice.
"""

from dash import Dash, html
from dash.development.base_component import Component

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "desk",
        [
            _header(language),
            _panel("layers", t("desk.layers.title", language), [common.slot("layers", "desk-layers")], language),
            _map(language),
            _panel(
                "mode",
                t("desk.mode.title", language),
                [
                    common.slot("mode", "desk-mode"),
                    common.slot("figures", "desk-figures live"),
                    common.slot("journal", "desk-journal"),
                ],
                language,
            ),
        ],
        class_name="desk",
    )


def register(app: Dash) -> None:
    """The desk has no callbacks: its assets follow the live stream and press the key through the API."""


def _header(language: str) -> html.Header:
    return html.Header(
        [
            html.Div(
                [html.H1(t("app.title", language), className="desk-title"), common.county_name()],
                className="desk-brand",
            ),
            common.slot("search", "desk-search"),
            html.Div(common.banner(), className="desk-banner"),
            html.Nav(
                [
                    common.connection(language),
                    html.Time(className="clock", **{"data-clock": ""}),
                    *common.ways(language, PATH),
                    common.account(language, PATH),
                ],
                className="desk-nav",
                **{"aria-label": t("desk.nav.label", language)},
            ),
        ],
        className="desk-head",
    )


def _panel(name: str, title: str, children: list[Component], language: str) -> html.Aside:
    """A side panel that folds to a narrow strip; `50_desk.js` answers its button."""
    return html.Aside(
        [
            html.Div(
                [
                    html.H2(title, className="desk-panel-title"),
                    html.Button(
                        type="button",
                        className="desk-fold",
                        **{"data-fold": name, "aria-label": t("desk.fold", language, name=title)},
                    ),
                ],
                className="desk-panel-head",
            ),
            html.Div(children, className="desk-panel-body"),
        ],
        className=f"desk-panel desk-panel-{name}",
    )


def _map(language: str) -> html.Main:
    return html.Main(
        [
            common.map_box(audience="staff", interactive=True, class_name="desk-map"),
            common.slot("tools", "desk-tools"),
            common.slot("notice", "desk-notice"),
            common.first_run(language),
            html.Div(
                [
                    html.Span(className="scale-bar", **{"data-slot": "scale"}),
                    html.Span(className="position", **{"data-slot": "position"}),
                    html.Span(t("desk.demo", language), className="demo-note", hidden=True, **{"data-demo": ""}),
                    html.Span(t("desk.credits", language), className="credits"),
                ],
                className="desk-readouts",
            ),
        ],
        className="desk-main",
    )
