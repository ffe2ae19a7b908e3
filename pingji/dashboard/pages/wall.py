"""The command-centre wall: who is not accounted for, where, and where there is room. Nobody touches it."""

from dash import Dash, html
from dash.development.base_component import Component

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/wall"
COUNTY = "sheet/$county"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "wall",
        [
            _header(language),
            html.Aside([_remainder(language), _routine_figures(language)], className="wall-side wall-left live"),
            common.map_box(audience="wall", interactive=False, class_name="wall-map"),
            html.Aside([_places(language), _routine_work(language)], className="wall-side wall-right live"),
            html.Section([_arrivals(language), _county_figures(language)], className="wall-strip wall-chart live"),
            html.Section(_panel(t("wall.events", language), "events"), className="wall-strip wall-events live"),
            common.first_run(language),
        ],
        class_name="wall",
    )


def register(app: Dash) -> None:
    """The wall has no callbacks: `30_wall.js` follows the live stream."""


def _header(language: str) -> html.Header:
    return html.Header(
        [
            html.Div([common.county_name(), common.banner()], className="wall-head-left"),
            html.H1(t("app.title", language), className="wall-title"),
            html.Div(
                [common.connection(language), html.Time(className="clock", **{"data-clock": ""})],
                className="wall-head-right",
            ),
        ],
        className="wall-head",
    )


def _panel(title: str, slot: str) -> list[Component]:
    """A title with its page indicator above a list that `30_wall.js` fills."""
    head = html.H2([html.Span(title), html.Span(className="pager", **{"data-pager": slot})], className="panel-title")
    return [head, common.slot(slot, "list")]


def _remainder(language: str) -> html.Div:
    people, households = (
        html.Div(
            [
                html.Span(t(label, language), className="label"),
                common.figure(f"{path}/accounted"),
                html.Span("/", className="slash"),
                common.figure(f"{path}/expected"),
                *([html.Span(t(unit, language), className="unit")] if unit else []),
            ],
            className="denominator",
        )
        for label, path, unit in (
            ("wall.accounted", COUNTY, "unit.persons"),
            ("wall.households", f"{COUNTY}/households", None),
        )
    )
    return html.Div(
        [
            html.H2(
                [html.Span(t("wall.remainder", language)), html.Span("", className="note", **{"data-note": "cleared"})],
                className="panel-title first",
            ),
            html.Div(common.figure(f"{COUNTY}/remainder"), className="remainder", **{"data-remainder": ""}),
            html.Div([people, households], className="denominators"),
            common.slot("parts", "remainder-parts"),
            *_panel(t("wall.zones", language), "zones"),
            *_panel(t("wall.townships", language), "townships"),
            html.P(t("wall.marks", language), className="wall-marks"),
        ],
        className="when-operation stack left-stack",
    )


def _places(language: str) -> html.Div:
    return html.Div(
        [
            *_panel(t("wall.transfer_points", language), "transfer_points"),
            *_panel(t("wall.shelters", language), "shelters"),
        ],
        className="when-operation stack right-stack",
    )


def _routine_figures(language: str) -> html.Div:
    return html.Div(
        [
            html.H2(html.Span(t("wall.ready", language)), className="panel-title first"),
            common.slot("ready", "remainder"),
            common.slot("ready_note", "denominators"),
            *_panel(t("wall.completeness", language), "completeness"),
        ],
        className="when-routine stack routine-stack",
    )


def _routine_work(language: str) -> html.Div:
    return html.Div(_panel(t("wall.open_work", language), "open_work"), className="when-routine stack one-list")


def _arrivals(language: str) -> html.Div:
    head = html.H2(
        [html.Span(t("wall.arrivals", language)), html.Span(className="chart-legend", **{"data-slot": "chart_legend"})],
        className="panel-title",
    )
    return html.Div([head, common.slot("chart", "chart")], className="when-operation stack one-list")


def _county_figures(language: str) -> html.Div:
    head = html.H2(html.Span(t("wall.county", language)), className="panel-title")
    return html.Div([head, common.slot("county_figures", "tiles")], className="when-routine stack one-list")
