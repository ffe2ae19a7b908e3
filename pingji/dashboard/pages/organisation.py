"""The organisation: its tree on the left, the map in the middle, the chosen unit and the to-do lists on the right.

The assets `70_organisation.js` to `79_*.js` fill the slots; `docs/organisation.md` is what they talk to.
"""

from dash import Dash, html
from dash.development.base_component import Component

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/organisation"
CONTEXT = ("communities", "rivers", "roads", "buildings")
TABS = ("unit", "vacancies", "burdens", "sponsors", "calls")


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; Dash passes the address's query parameters."""
    language = common.language(lang)
    return common.root(
        "organisation",
        [
            _header(language),
            html.Aside(
                [common.slot("org-search", "og-search"), common.slot("org-tree", "og-tree")],
                className="og-left",
                **{"aria-label": t("org.tree.label", language)},
            ),
            _map(language),
            _panels(language),
            html.Section(
                hidden=True,
                className="og-committees",
                **{"data-slot": "org-committees", "aria-label": t("org.committees.title", language)},
            ),
            html.Div(className="og-toasts", **{"data-slot": "toasts", "aria-live": "polite"}),
        ],
        class_name="og",
    )


def register(app: Dash) -> None:
    """The screen has no callbacks: its assets ask the API and follow the live stream."""


def _header(language: str) -> html.Header:
    return html.Header(
        [
            html.Div(
                [html.H1(t("org.title", language), className="og-title"), common.county_name()], className="og-brand"
            ),
            common.slot("org-actions", "og-actions"),
            html.Div(common.banner(), className="og-banner"),
            html.Nav(
                [common.connection(language), *common.ways(language, PATH), common.account(language, PATH)],
                className="og-nav",
                **{"aria-label": t("desk.nav.label", language)},
            ),
        ],
        className="og-head",
    )


def _map(language: str) -> html.Main:
    return html.Main(
        [
            common.map_box(audience="staff", interactive=True, class_name="og-map", layers=CONTEXT, pick=False),
            common.slot("org-figure", "og-figure"),
            common.slot("org-zoom", "og-zoom"),
            common.slot("org-notice", "og-notice"),
            common.slot("org-legend", "og-legend"),
            common.slot("org-empty", "og-empty"),
            common.first_run(language),
            html.Div(
                [
                    html.Span(className="scale-bar", **{"data-slot": "scale"}),
                    html.Span(className="position", **{"data-slot": "position"}),
                ],
                className="og-readouts",
            ),
        ],
        className="og-main",
    )


def _panels(language: str) -> html.Aside:
    return html.Aside(
        [
            html.Div(
                [_tab(name, t(f"org.tab.{name}", language)) for name in TABS], className="og-tabs", role="tablist"
            ),
            *(
                html.Section(
                    className="og-panel",
                    hidden=name != TABS[0],
                    role="tabpanel",
                    **{"data-slot": f"org-{name}", "aria-label": t(f"org.tab.{name}", language)},
                )
                for name in TABS
            ),
        ],
        className="og-side",
    )


def _tab(name: str, title: str) -> Component:
    """One tab with room for a count; `70_organisation.js` answers it."""
    chosen = name == TABS[0]
    return html.Button(
        [html.Span(title), html.Span(className="og-badge")],
        type="button",
        role="tab",
        className="og-tab",
        tabIndex=0 if chosen else -1,
        **{"data-org-tab": name, "aria-selected": str(chosen).lower()},
    )
