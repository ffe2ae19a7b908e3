"""The grid workbench: tools on the left, the map with its draft, panels on the right; a review goes over the map.

The assets `60_grids.js` to `69_*.js` fill the slots; nothing here waits for the server twice.
"""

from dash import Dash, html
from dash.development.base_component import Component

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/grids"
CONTEXT = ("communities", "rivers", "roads", "buildings", "households")
TABS = ("list", "problems", "sets", "proposals", "history")
EDITORS = ("proposals",)  # tabs of who may draw


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "grids",
        [
            _header(language),
            html.Nav(
                className="grids-tools", **{"data-slot": "grids-tools", "aria-label": t("grids.tools.label", language)}
            ),
            _map(language),
            _panels(language),
            html.Div(className="grids-toasts", **{"data-slot": "toasts", "aria-live": "polite"}),
        ],
        class_name="grids",
    )


def register(app: Dash) -> None:
    """The workbench has no callbacks: its assets send intents to the API and paint what it answers."""


def _header(language: str) -> html.Header:
    return html.Header(
        [
            html.Div(
                [html.H1(t("grids.title", language), className="grids-title"), common.county_name()],
                className="grids-brand",
            ),
            common.slot("grids-community", "grids-community"),
            common.slot("grids-set", "grids-set"),
            html.Div(common.banner(), className="grids-banner"),
            html.Nav(
                [
                    common.connection(language),
                    *common.ways(language, PATH),
                    common.account(language, PATH),
                ],
                className="grids-nav",
                **{"aria-label": t("desk.nav.label", language)},
            ),
        ],
        className="grids-head",
    )


def _map(language: str) -> html.Main:
    return html.Main(
        [
            common.map_box(
                audience="staff", interactive=True, class_name="grids-map", layers=CONTEXT, look="routine", pick=False
            ),
            common.slot("grids-zoom", "grids-zoom"),
            common.slot("grids-notice", "grids-notice"),
            common.slot("grids-empty", "grids-empty"),
            common.first_run(language),
            html.Div(hidden=True, className="grids-review", **{"data-slot": "grids-review"}),
            html.Footer(
                [
                    common.slot("grids-hint", "grids-hint"),
                    common.slot("grids-figures", "grids-figures"),
                    html.Div(
                        [
                            html.Span(className="scale-bar", **{"data-slot": "scale"}),
                            html.Span(className="position", **{"data-slot": "position"}),
                        ],
                        className="grids-readouts",
                    ),
                ],
                className="grids-foot",
            ),
        ],
        className="grids-main",
    )


def _panels(language: str) -> html.Aside:
    return html.Aside(
        [
            html.Div(
                [_tab(name, t(f"grids.tab.{name}", language), name == TABS[0]) for name in TABS]
                + [html.Button(type="button", className="grids-fold", **{"aria-label": t("grids.fold", language)})],
                className="grids-tabs",
                role="tablist",
            ),
            *(
                html.Section(
                    className="grids-panel",
                    hidden=name != TABS[0],
                    role="tabpanel",
                    **{"data-slot": f"grids-{name}", "aria-label": t(f"grids.tab.{name}", language)},
                )
                for name in TABS
            ),
        ],
        className="grids-side",
    )


def _tab(name: str, title: str, chosen: bool) -> Component:
    """One tab with room for a count; `60_grids.js` answers it."""
    return html.Button(
        [html.Span(title), html.Span(className="grids-badge")],
        type="button",
        role="tab",
        className="grids-tab",
        tabIndex=0 if chosen else -1,
        hidden=name in EDITORS,
        **{"data-tab": name, "aria-selected": str(chosen).lower()},
        **(common.needing(["edit_grids"]) if name in EDITORS else {}),
    )
