"""The one way out: a signed message to an address that an operator named, and to no other that hides behind it.

A name is resolved once and the connection goes to that very address, so that a second answer can't lead elsewhere.
Addresses of this machine and of inner networks, and those that clouds hand secrets out on, are refused unless they
are listed. No redirect is followed, nothing is sent twice, and nothing but the answer's status is read.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx
import orjson

from pingji.ops.errors import OpsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class OutboundRefused(OpsError):
    """An address that nothing is sent to. `reason`."""


class OutboundFailed(OpsError):
    """Nobody took the message. `reason`."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: the address that was found once, and the name that its certificate has to bear."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


def allowed_networks(listed: str) -> tuple[Network, ...]:
    """The networks of `PINGJI_WEBHOOK_ALLOW`.

    >>> [str(one) for one in allowed_networks("10.20.0.5, 10.21.0.0/24")]
    ['10.20.0.5/32', '10.21.0.0/24']
    """
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in listed.split(",") if part.strip())


def find(url: str, allow: Sequence[Network] = ()) -> Target:
    """Where a URL leads, if one may go there.

    Raises
    ------
    OutboundRefused
        Another scheme, a user's name in it, or an address of an inner network that is not listed: one such answer
        among several is enough.
    OutboundFailed
        The name leads nowhere.
    """
    parts, host, port = _parts(url)
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundFailed(reason="no such name") from error
    addresses = [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]
    for address in addresses:
        if not _may(address, allow):
            raise OutboundRefused(reason=f"{address} is an inner address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, str(addresses[0]))


def send(
    target: Target, message: dict[str, object], secret: str, *, at: float | None = None, timeout_s: float = TIMEOUT_S
) -> int:
    """Post a message as signed JSON; the status of the answer.

    Notes
    -----
    `X-Pingji-Signature` is the hex HMAC-SHA256, by the shared secret, of the timestamp, a dot and the body. Whoever
    takes it compares that in constant time, and refuses a timestamp that is minutes old.

    Raises
    ------
    OutboundFailed
    """
    body = orjson.dumps(message)
    stamp = str(int(time.time() if at is None else at))
    headers = {
        "Host": target.host if target.port == PORTS[target.scheme] else f"{_bracketed(target.host)}:{target.port}",
        "Content-Type": "application/json",
        "User-Agent": "pingji",
        "X-Pingji-Timestamp": stamp,
        "X-Pingji-Signature": signature(secret, stamp, body),
    }
    url = f"{target.scheme}://{_bracketed(target.address)}:{target.port}{target.path}"
    try:
        status = asyncio.run(_post(url, body, headers, target.host, timeout_s))
    except (httpx.HTTPError, OSError, ValueError, TimeoutError) as error:
        raise OutboundFailed(reason=type(error).__name__) from error
    if not 200 <= status < 300:
        raise OutboundFailed(reason=f"status {status}")
    return status


async def _post(url: str, body: bytes, headers: dict[str, str], host: str, timeout_s: float) -> int:
    """The status; nothing that follows it is read. The whole of it has one limit, however slowly an answer drips."""
    # No proxy of the environment: it would resolve the name again, and go where it likes.
    async with (
        asyncio.timeout(timeout_s),
        httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", url, content=body, headers=headers, extensions={"sni_hostname": host}) as answer,
    ):
        return answer.status_code


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What proves that a message is ours and of that moment."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _parts(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise OutboundRefused(reason="not an address") from error
    if parts.scheme not in PORTS:
        raise OutboundRefused(reason="only http and https")
    if not host or parts.username is not None or parts.password is not None or not url.isprintable() or " " in url:
        raise OutboundRefused(reason="not an address")
    return parts, host, port or PORTS[parts.scheme]


def _may(address: Address, allow: Sequence[Network]) -> bool:
    """Whether one may go there: where an address stands for another, that one counts."""
    meant = _meant(address)
    if any(meant in network for network in allow if network.version == meant.version):
        return True
    return meant.is_global and not meant.is_multicast


def _meant(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None:
            return address.teredo[1]
    return address


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
