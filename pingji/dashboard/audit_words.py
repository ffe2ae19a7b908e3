"""What the audit says to people: names of actions, headings of its files, and what is wrong with a chain."""

from pingji.dashboard.texts import catalogue, t
from pingji.data.audit.export import ORDER, Words
from pingji.data.audit.verify import Breach

_ACTIONS, _OUTCOMES = "audit.action.", "audit.outcome."


def words(language: str) -> Words:
    """The words of a file."""
    headings = {name: t(f"audit.column.{name}", language) for name in ORDER}
    return Words(headings, _below(_ACTIONS, language), _below(_OUTCOMES, language), t("audit.export.sheet", language))


def action_text(action: str, language: str) -> str:
    """What an action is called; its code where it has no text."""
    return catalogue(language).get(f"{_ACTIONS}{action}", action)


def outcome_text(outcome: str, language: str) -> str:
    """What came of it."""
    return catalogue(language).get(f"{_OUTCOMES}{outcome}", outcome)


def breach_text(breach: Breach, language: str) -> str:
    """What is wrong with a chain, in a sentence."""
    return t(f"audit.breach.{breach.kind.value}", language, seq=breach.seq, until=breach.until)


def _below(beginning: str, language: str) -> dict[str, str]:
    return {k.removeprefix(beginning): text for k, text in catalogue(language).items() if k.startswith(beginning)}
