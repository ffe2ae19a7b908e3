"""The health page: what a duty officer looks at when something seems wrong, with a word and a next step for each."""

from dash import Dash, html

from pingji.dashboard.pages import common
from pingji.dashboard.texts import t

PATH = "/health"


def layout(lang: str | None = None, **_: str) -> html.Div:
    """The screen's components; `84_health.js` fills the list and keeps it true."""
    language = common.language(lang)
    return common.root(
        "health",
        [
            html.Header(
                [
                    html.Div(
                        [html.H1(t("health.title", language)), common.county_name()], className="health-head-left"
                    ),
                    html.Div(
                        [common.connection(language), *common.ways(language, PATH), common.account(language, PATH)],
                        className="health-head-right",
                    ),
                ],
                className="health-head",
            ),
            html.Main(
                [
                    html.Div(
                        [
                            html.Span(className="health-light", **{"aria-hidden": "true"}),
                            html.H2(t("health.waiting", language), className="health-verdict"),
                            html.P(t("health.lead", language), className="health-lead"),
                            html.Time(className="health-at"),
                        ],
                        className="health-overall",
                        role="status",
                        **{"data-health-overall": "", "data-light": "grey", **_texts(language)},
                    ),
                    html.Ul(
                        className="health-list", **{"data-slot": "health", "aria-label": t("health.list", language)}
                    ),
                ],
                className="health-main",
            ),
        ],
        class_name="health",
    )


def register(app: Dash) -> None:
    """No callbacks: the script asks the API."""


def _texts(language: str) -> dict[str, str]:
    """They come with the page: they must be there when the server is not."""
    texts = {f"data-overall-{light}": t(f"health.overall.{light}", language) for light in _LIGHTS}
    return {
        **texts,
        "data-unreachable": t("health.unreachable", language),
        "data-unreachable-do": t("health.unreachable_do", language),
        "data-refused": t("health.refused", language),
        "data-checked": t("health.checked", language, time="{time}"),
    }


_LIGHTS = ("green", "grey", "amber", "red")
