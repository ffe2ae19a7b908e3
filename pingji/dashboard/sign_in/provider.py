"""An OpenID Connect provider: where a sign-in begins there, and what its answer proves.

Authorization code with PKCE; the signed token is checked for its signature, issuer, audience, times and nonce.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pingji.ops.access import EVERYWHERE, Grant, Role
from pingji.ops.sign_in import ProviderFailed
from pingji.settings import Settings

# Asymmetric only: with `none` or a shared secret, whoever knows the client could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
KEEP_S = 3600.0  # what the provider says of itself
LEEWAY_S = 60
TIMEOUT_S = 10.0
LARGEST = 1_000_000  # bytes of an answer
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Provider:
    """One provider, as the settings name it."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer or ""
        self._client_id = settings.oidc_client_id or ""
        secret = settings.oidc_client_secret
        self._secret = secret.get_secret_value() if secret else ""
        self._known: Mapping[str, Any] = {}
        self._keys: KeySet | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def address(self, state: str, nonce: str, verifier: str, redirect_uri: str) -> str:
        """Where the browser is sent.

        Raises
        ------
        ProviderFailed
        """
        known = await self._metadata()
        uri: str = prepare_grant_uri(
            str(known["authorization_endpoint"]),
            self._client_id,
            "code",
            redirect_uri,
            "openid profile",
            state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return uri

    async def claims(self, code: str, nonce: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """What the provider's token says about whoever came back with a code.

        Raises
        ------
        ProviderFailed
        """
        known = await self._metadata()
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        if self._secret:
            body["client_secret"] = self._secret
        answer = await self._ask("POST", str(known["token_endpoint"]), body)
        return await self._checked(str(answer.get("id_token", "")), nonce, str(answer.get("access_token", "")))

    async def _checked(self, id_token: str, nonce: str, access_token: str) -> Mapping[str, Any]:
        try:
            token = jwt.decode(id_token, await self._keys_now(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # signed by a key that came after we asked, or by nobody of the provider's
            token = await self._decoded_with_fresh_keys(id_token)
        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._client_id},
        }
        params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
        try:
            found = CodeIDToken(token.claims, token.header, options, params)
            found.validate(now=int(time.time()), leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            raise ProviderFailed(reason=f"claims: {error}") from error
        if not isinstance(token.claims.get("sub"), str) or not token.claims["sub"]:
            raise ProviderFailed(reason="no subject")
        return dict(token.claims)

    async def _decoded_with_fresh_keys(self, id_token: str) -> jwt.Token:
        self._keys = None
        try:
            return jwt.decode(id_token, await self._keys_now(), algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise ProviderFailed(reason=f"signature: {error}") from error

    async def _metadata(self) -> Mapping[str, Any]:
        async with self._asking:
            if time.monotonic() >= self._until:
                known = await self._ask("GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if known.get("issuer") != self.issuer:
                    raise ProviderFailed(reason="another issuer")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    _require_safe(str(known.get(name, "")))
                self._known, self._until, self._keys = known, time.monotonic() + KEEP_S, None
            return self._known

    async def _keys_now(self) -> KeySet:
        if self._keys is None:
            answer = await self._ask("GET", str((await self._metadata())["jwks_uri"]))
            try:
                self._keys = KeySet.import_key_set(answer)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise ProviderFailed(reason=f"keys: {error}") from error
        return self._keys

    async def _ask(self, method: str, url: str, body: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        _require_safe(url)
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as http:
                answer = await http.request(method, url, data=body)
                found = answer.raise_for_status().json() if len(answer.content) <= LARGEST else None
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed(reason=f"{method} {urlsplit(url).path}: {type(error).__name__}") from error
        if not isinstance(found, dict):
            raise ProviderFailed(reason="not an object")
        return found


def roles_in(claims: Mapping[str, Any], name: str, scope: str) -> tuple[Grant, ...]:
    """Grants from a claim that holds `role` or `role:scope`; `a.b` looks below `a`. A bare role holds in `scope`.

    >>> [g.scope for g in roles_in({"x": {"r": ["leader", "field:T1", "king"]}}, "x.r", "220221")]
    ['T1', '220221']
    """
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    values = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    known = {role.value for role in Role}
    pairs = [str(value).partition(":") for value in values]
    return tuple(sorted({Grant(Role(role), where or scope or EVERYWHERE) for role, _, where in pairs if role in known}))


def _require_safe(url: str) -> None:
    """https, or this very machine: a token that came over an open line proves nothing."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ProviderFailed(reason="not https")
