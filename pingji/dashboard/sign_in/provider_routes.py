"""`/sign-in/oidc`: to the provider, and back with a proof of who somebody is."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from pingji.dashboard.access import Routes, public
from pingji.dashboard.context import now_us
from pingji.dashboard.sign_in.doorkeeper import Doorkeeper
from pingji.dashboard.sign_in.provider import Provider, roles_in
from pingji.dashboard.sign_in.rendering import onward, refused
from pingji.dashboard.sign_in.visit import Visit, local_path
from pingji.data import audit
from pingji.data.access import entering, tokens
from pingji.data.access.accounts import (
    Account,
    LoginTaken,
    NameTaken,
    account_of_subject,
    add_account,
    find_account,
    set_grants,
)
from pingji.data.access.entering import Entered
from pingji.data.access.secret import digest_of, new_secret
from pingji.data.engine import writing
from pingji.ops import sign_in as rules
from pingji.ops.access import EVERYWHERE
from pingji.ops.sign_in import ProviderFailed, SignInError

FLOW = "pingji_oidc"
PATH = "/sign-in/oidc"
NAMESAKES = 100
log = logging.getLogger(__name__)


def add(routes: Routes, door: Doorkeeper) -> None:
    """The routes, where a provider is configured."""
    if not (door.settings.oidc_issuer and door.settings.oidc_client_id):
        return
    provider = Provider(door.settings)
    _there(routes, door, provider)
    _back(routes, door, provider)


def _there(routes: Routes, door: Doorkeeper, provider: Provider) -> None:
    def begin(owner: str, back: str) -> str:
        """A state that works once, and only in the browser that has the cookie."""
        at = now_us()
        with writing(door.engine) as conn:
            tokens.clear_expired(conn, at)
            until = at + rules.HALF_US
            kept = {"name": back, "grants": (), "created_by": owner, "at": at, "expires_at": until}
            return tokens.make_token(conn, kind=tokens.FLOW, **kept)[1]  # type: ignore[arg-type]

    @routes.get(PATH)
    @public
    async def there(request: Request) -> Response:
        """To the provider."""
        visit = door.visit(request)
        own = new_secret()
        try:
            state = await door.in_thread(begin, digest_of(own), visit.next)
            to = await provider.address(state, _nonce(own), _verifier(own), _redirect_uri(visit))
        except ProviderFailed as error:
            log.warning("sign-in by the provider: %s", error)
            return refused(visit, "wrong_link", error)
        response = onward(to)
        response.set_cookie(
            FLOW, own, max_age=rules.HALF_US // 1_000_000, httponly=True, samesite="lax", secure=visit.secure, path=PATH
        )
        return response


def _back(routes: Routes, door: Doorkeeper, provider: Provider) -> None:
    def came_back(state: str, own: str) -> str:
        """Where to afterwards, where this browser began this sign-in and has not finished it."""
        with writing(door.engine) as conn:
            flow = tokens.use_code(conn, tokens.FLOW, state, now_us(), owner=digest_of(own))
        if not own or flow is None:
            raise ProviderFailed(reason="state")
        return local_path(flow.name)

    async def who(visit: Visit) -> tuple[Entered, str]:
        asked, own = visit.request.query_params, visit.request.cookies.get(FLOW, "")
        to = await door.in_thread(came_back, asked.get("state", ""), own)
        if "error" in asked or asked.get("iss", provider.issuer) != provider.issuer:
            raise ProviderFailed(reason="refused there")
        claims = await provider.claims(asked.get("code", ""), _nonce(own), _verifier(own), _redirect_uri(visit))
        return await door.attempt(visit, _let_in, door, provider.issuer, claims, visit), to

    @routes.get(f"{PATH}/back")
    @public
    async def back(request: Request) -> Response:
        """From the provider."""
        visit = door.visit(request)
        try:
            done, to = await who(visit)
        except SignInError as error:
            log.warning("sign-in by the provider: %s", error)
            response: Response = refused(visit, "wrong_link", error)
        else:
            response = onward(to)
            visit.keep_session(response, done)
        response.delete_cookie(FLOW, path=PATH, secure=visit.secure, httponly=True, samesite="lax")
        return response


def _let_in(door: Doorkeeper, issuer: str, claims: Mapping[str, Any], visit: Visit) -> Entered:
    """Find the account of the subject, or make one that may do nothing until somebody grants it something."""
    at = now_us()
    county = door.context.county_or_none()
    with writing(door.engine) as conn:
        subject = f"{issuer}|{claims['sub']}"
        found = account_of_subject(conn, subject) or _new_account(conn, subject, claims, at)
        claim = door.settings.oidc_role_claim
        if claim:
            granted = roles_in(claims, claim, county.code if county else EVERYWHERE)
            if set(granted) != set(found.grants):
                set_grants(conn, found.id, granted)
                what = [f"{grant.role.value}:{grant.scope}" for grant in granted]
                audit.record(conn, action="account_changed", object=found.name, detail={"grants": what})
        return entering.enter_known(conn, found, at, visit.browser, "provider")


def _new_account(conn: Connection, subject: str, claims: Mapping[str, Any], at: int) -> Account:
    """Never an account that is there already: a provider's user could call himself like its owner."""
    login = _usable(claims.get("preferred_username")) or _usable(claims["sub"]) or "oidc"
    name = _usable(claims.get("name"), spaces=True) or login
    for n in range(1, NAMESAKES):
        more = f"-{n}" if n > 1 else ""
        try:
            made, _ = add_account(
                conn, login=(login + more)[:64], name=(name + more)[:64], grants=(), at=at, subject=subject
            )
        except (LoginTaken, NameTaken):
            continue
        audit.record(conn, action="account_added", object=name + more, detail={"by": "provider"})
        return find_account(conn, made)
    raise ProviderFailed(reason="too many namesakes")


def _usable(claim: object, *, spaces: bool = False) -> str:
    text = "".join(c for c in str(claim or "") if c.isprintable() and (spaces or c != " "))
    return text.strip()[:50]


def _nonce(own: str) -> str:
    return digest_of("nonce " + own)


def _verifier(own: str) -> str:
    return digest_of("pkce " + own)


def _redirect_uri(visit: Visit) -> str:
    base = (visit.settings.public_url or str(visit.request.base_url)).rstrip("/")
    return f"{base}{PATH}/back"
