"""The scenario that `pingji simulate` plays: who of the danger zones does what, and when. Repeatable by its seed."""

from collections import defaultdict
from dataclasses import dataclass
from random import Random

from pingji.cli.phones import Api, Phone, chunks

HOUSEHOLDS_A_CALL = 100
VISITORS = 40


@dataclass(frozen=True)
class Household:
    """A household of the roll call: where it is to go, and the ids of its people."""

    code: str
    zone: str
    transfer_point: str
    shelter: str
    people: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Act:
    """Something that one device says at a minute of the scenario."""

    minute: float
    device: str
    kind: str
    subject: tuple[tuple[str, object], ...]


def load_households(api: Api) -> list[Household]:
    """The households and institutions of all danger zones, as the public API has them."""
    found: dict[str, dict[str, str]] = {}
    for zone in api.get("layers/danger_zones")["features"]:
        west, south, east, north = _bounds(zone["geometry"]["coordinates"])
        inside = api.get("layers/households", bbox=f"{west},{south},{east},{north}")["features"]
        found.update({f["id"]: f["properties"] for f in inside if f["properties"].get("zone")})
    for feature in api.get("layers/institutions")["features"]:
        if feature["properties"].get("zone"):
            found[feature["id"]] = feature["properties"]
    people: dict[str, list[str]] = defaultdict(list)
    for codes in chunks(sorted(found), HOUSEHOLDS_A_CALL):
        for person in api.get("people", household=list(codes)):
            people[person["household"]].append(person["id"])
    return [
        Household(code, p["zone"], p.get("transfer_point", ""), p.get("shelter", ""), tuple(people[code]))
        for code, p in sorted(found.items())
        if people[code]
    ]


def _bounds(coordinates: object) -> tuple[float, float, float, float]:
    points: list[tuple[float, float]] = []

    def walk(part: object) -> None:
        assert isinstance(part, list)
        if isinstance(part[0], list):
            for inner in part:
                walk(inner)
        else:
            points.append((part[0], part[1]))

    walk(coordinates)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def plan_acts(households: list[Household], seed: int) -> list[Act]:
    """Everything that happens, in order of time (minutes since the start)."""
    rng = Random(seed)
    acts: list[Act] = []
    starts = {zone: rng.uniform(0, 25) for zone in sorted({h.zone for h in households})}
    places = sorted({h.transfer_point for h in households if h.transfer_point})
    for household in households:
        acts += _household(household, starts[household.zone] + rng.expovariate(1 / 8), rng)
    for n in range(VISITORS if places else 0):
        place, minute = rng.choice(places), rng.uniform(5, 60)
        acts.append(_act(minute, place, "arrive", person=f"visitor:{seed}-{n}", place=place))
    acts += _clicks(acts, rng)
    return sorted(acts)


def _act(minute: float, device: str, kind: str, **subject: object) -> Act:
    return Act(minute, f"phone-{device}", kind, tuple(sorted(subject.items())))


def _household(household: Household, told: float, rng: Random) -> list[Act]:
    """One household: told, then most leave together, some go to relatives, few refuse or can't be found."""
    knocker, everybody = f"knock-{household.zone}", {"household": household.code}
    fate = rng.random()
    if fate < 0.012:
        return [_act(told, knocker, "unlocated", **everybody)]
    acts = [_act(told, knocker, "notify", **everybody)]
    if fate < 0.035:
        acts.append(_act(told + 4, knocker, "refuse", **everybody))
        return acts if fate < 0.015 else acts + _journey(household, told + rng.uniform(15, 40), rng)
    if fate < 0.06:
        acts.append(_act(told + 2, knocker, "assist", **everybody))
        return acts + _journey(household, told + rng.uniform(12, 30), rng)
    if fate < 0.14:
        return [*acts, _act(told + rng.uniform(3, 10), knocker, "disperse", **everybody)]
    if fate < 0.15:
        return [*acts, _act(told + rng.uniform(3, 10), knocker, "guard", **everybody)]
    return acts + _journey(household, told + rng.uniform(2, 10), rng)


def _journey(household: Household, departs: float, rng: Random) -> list[Act]:
    acts = [_act(departs, f"knock-{household.zone}", "depart", household=household.code)]
    arrives = departs + rng.uniform(4, 18)
    point, shelter = household.transfer_point, household.shelter
    if not point:
        return acts
    acts += [_act(arrives + rng.uniform(0, 1), point, "arrive", person=p, place=point) for p in household.people]
    if shelter and rng.random() < 0.7:
        moves = arrives + rng.uniform(12, 35)
        for person in household.people:
            acts.append(_act(moves, shelter, "arrive", person=person, place=shelter))
            # The roster checks them out of the transfer point by itself; the clicker at its gate has to be told.
            acts.append(_act(moves, f"click-{point}", "count", place=point, count=-1))
    return acts


def _clicks(acts: list[Act], rng: Random) -> list[Act]:
    """The clicker beside the roster: a tap for everybody who passes, now and then one too many or too few."""
    taps = []
    for act in acts:
        if act.kind == "arrive":
            place = dict(act.subject)["place"]
            n = rng.choices((0, 1, 2), (0.01, 0.98, 0.01))[0]
            if n:
                taps.append(_act(act.minute, f"click-{place}", "count", place=place, count=n))
    return taps


def act_out(acts: list[Act], phones: dict[str, Phone]) -> None:
    """Let the phones say what is due."""
    for act in acts:
        phones.setdefault(act.device, Phone(act.device)).say(act.kind, **dict(act.subject))
