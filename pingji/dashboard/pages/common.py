"""What the screens share: their root, the mode banner, ways to the other screens, the account, the map's box."""

import json
from collections.abc import Sequence

import dash_leaflet as dl
from dash import html
from dash.development.base_component import Component

from pingji.dashboard.guard import PAGES
from pingji.dashboard.texts import LANGUAGES, t

SCREENS = ("/", "/grids", "/organisation", "/shelters", "/wall")  # ways that stand in a header
OFFICES = ("/accounts", "/audit", "/health")  # ways that only the account's menu has
FIRST_VIEW = ([43.6, 126.3], 9)  # until the map asset has asked for the county's bounds


def language(lang: str | None) -> str:
    """The language of a page from its `?lang=`: Chinese where it is none of ours."""
    return lang if lang in LANGUAGES else LANGUAGES[0]


def root(page: str, children: Sequence[Component], class_name: str = "") -> html.Div:
    """The one root of a screen; the assets find it by id and learn from it which screen they are on."""
    return html.Div(list(children), id="page", className=f"page {class_name}".strip(), **{"data-page": page})


def banner() -> html.Div:
    """Mode, scope, level, exercise and elapsed time; `12_banner.js` fills it and keeps it true."""
    return html.Div(className="banner", role="status", **{"data-banner": ""})


def ways(lang: str, here: str) -> list[Component]:
    """Links to the other main screens; `14_account.js` shows those that the caller may open."""
    return [_way(path, lang) for path in SCREENS if path != here]


def account(lang: str, here: str) -> html.Div:
    """Who is signed in, with the menu of everything that is theirs to open; `14_account.js` fills and opens it."""
    other = "en" if lang == "zh_CN" else "zh_CN"
    language_link = html.A(
        t("session.other_language", lang), href=f"{here}?lang={other}", lang="en" if other == "en" else "zh-CN"
    )
    menu = [
        html.P(className="account-roles", **{"data-account-roles": ""}),
        *(_way(path, lang) for path in (*SCREENS, *OFFICES) if path != here),
        html.A(t("session.account", lang), href=_address("/account", lang)),
        language_link,
        html.Button(t("session.sign_out", lang), type="button", **{"data-sign-out": ""}),
    ]
    button = html.Button(
        [html.Span(className="account-name"), html.Span(className="account-role")],
        type="button",
        className="account-button",
        **{"aria-haspopup": "true", "aria-expanded": "false", "aria-label": t("session.menu", lang)},
    )
    return html.Div(
        [button, html.Div(menu, className="account-menu", hidden=True)], className="account", **{"data-account": ""}
    )


def needing(wanted: Sequence[str]) -> dict[str, str]:
    """Attributes of an element that only who has one of these permissions is shown; with `hidden` until it is known."""
    return {"data-needs": " ".join(wanted)}


def _way(path: str, lang: str) -> html.A:
    name = path.strip("/") or "desk"
    wanted = [permission.value for permission in PAGES[path]]
    text = t(f"session.way.{name}", lang)
    return html.A(text, href=_address(path, lang), hidden=True, **needing(wanted))


def _address(path: str, lang: str) -> str:
    return f"{path}?lang=en" if lang == "en" else path


def connection(lang: str) -> html.Div:
    """Live or stale. Its texts come with the page: they must be there when the server is not."""
    return html.Div(
        className="connection",
        role="status",
        **{
            "data-connection": "",
            "data-live": t("connection.live", lang),
            "data-waiting": t("connection.waiting", lang),
            "data-stale": t("connection.stale", lang, time="{time}"),
            "data-never": t("connection.never", lang),
        },
    )


def county_name() -> html.Span:
    """The county's name, filled by `12_banner.js`."""
    return html.Span(className="county", **{"data-county": ""})


def figure(path: str, kind: str = "number", class_name: str = "") -> html.Span:
    """A live figure: `path` is a key of the stream and the members below it, `kind` a format of `10_live.js`."""
    return html.Span("—", className=f"figure {class_name}".strip(), **{"data-figure": path, "data-format": kind})


def slot(name: str, class_name: str = "") -> html.Div:
    """An empty place that an asset fills; Dash never draws into it again."""
    return html.Div(className=class_name, **{"data-slot": name})


def map_box(
    *,
    audience: str,
    interactive: bool,
    class_name: str = "",
    layers: Sequence[str] | None = None,
    look: str = "auto",
    pick: bool = True,
) -> html.Div:
    """The map in its box; `20_map.js` reads the box's `data-map` and draws the layers, or only those named.

    `look` is that of the mode, or always `routine` or `emergency`. Where `pick` is false a click opens no
    popup: the page has its own use for it.
    """
    centre, zoom = FIRST_VIEW
    wanted = {"interactive": interactive, "audience": audience, "look": look, "pick": pick}
    options = json.dumps(wanted if layers is None else {**wanted, "layers": list(layers)})
    switches = dict.fromkeys(
        ("dragging", "scrollWheelZoom", "doubleClickZoom", "boxZoom", "keyboard", "touchZoom"), interactive
    )
    leaflet = dl.Map(
        id="map",
        center=centre,
        zoom=zoom,
        attributionControl=False,
        zoomControl=False,
        style={"height": "100%", "width": "100%"},
        **switches,
    )
    return html.Div(leaflet, className=f"map-box {class_name}".strip(), **{"data-map": options})


def first_run(lang: str) -> html.Div:
    """What to do where there is no county yet; `13_page.js` shows it then. Its texts come with the page."""
    return html.Div(
        [
            html.H2(t("first_run.title", lang)),
            html.P(t("first_run.demo", lang)),
            html.Code("make demo"),
            html.P(t("first_run.import", lang)),
            html.Code("pingji import communities communities.geojson"),
            html.Code("pingji import grids grids.geojson"),
            html.P(t("first_run.then", lang)),
        ],
        className="first-run",
        hidden=True,
        **{"data-first-run": ""},
    )
