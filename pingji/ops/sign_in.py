"""Rules of signing in: when an account is locked, when a session has idled too long, what a password must be."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from pingji.ops.common_passwords import COMMON
from pingji.ops.errors import OpsError

TRIES = 5  # wrong in a row
MINUTE_US = 60_000_000
LOCK_US = 15 * MINUTE_US
SESSION_US = 12 * 60 * MINUTE_US  # of an account, however busy
DEVICE_US = 24 * 60 * MINUTE_US  # of a field post: as long as its shift may last
HALF_US = 10 * MINUTE_US  # between the password and the second factor
PASSWORD_MIN, PASSWORD_MAX = 10, 200
LOGIN_MAX, NAME_MAX = 64, 64


class SignInError(OpsError):
    """Somebody can't sign in, or not with this."""


class WrongSignIn(SignInError):
    """The name, the password or the code is wrong; never says which."""


class WrongLink(SignInError):
    """A link with a token that is unknown, over or revoked."""


class ProviderFailed(SignInError):
    """A sign-in by the provider that could not be finished. `reason`: for the log."""


class Locked(SignInError):
    """Too many wrong tries in a row. `until`: microseconds since 1970 UTC."""


class TooManyTries(SignInError):
    """Too many wrong tries from one address. `until`: microseconds since 1970 UTC."""


class PasswordRefused(SignInError):
    """A new password that is too easy to guess."""


class PasswordTooShort(PasswordRefused):
    """`minimum` characters are needed."""


class PasswordTooLong(PasswordRefused):
    """More than `maximum` characters."""


class PasswordTellsTheName(PasswordRefused):
    """The password contains the login or the name of its account."""


class PasswordTooCommon(PasswordRefused):
    """Among those that are tried first, or one of them with a number behind it."""


class PasswordUnchanged(PasswordRefused):
    """The new password is the old one."""


class PasswordsDiffer(PasswordRefused):
    """It was typed twice, and not the same."""


class NoAccount(SignInError):
    """A device, a program or a wall asks for what belongs to an account."""


class SecondFactorOn(SignInError):
    """There is a second factor already: it is turned off first."""


class BadLogin(SignInError):
    """A login that is empty, too long, or has spaces or control characters in it."""


class BadName(SignInError):
    """A name that is empty, too long, or has control characters in it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How often in a row it went wrong, tries under way included, and until when nothing is tried any more."""

    failed: int = 0
    locked_until: int = 0


def begin_try(standing: Standing, at: int) -> Standing:
    """The standing while a try is being judged: it counts as wrong until it has turned out right.

    Counted before it is judged, so that a hundred guesses at once are five.

    Raises
    ------
    Locked

    >>> begin_try(Standing(3), at=0)
    Standing(failed=4, locked_until=0)
    >>> begin_try(Standing(4), at=0).locked_until // MINUTE_US
    15
    >>> begin_try(Standing(5, 10), at=10)
    Standing(failed=1, locked_until=0)
    """
    if at < standing.locked_until:
        raise Locked(until=standing.locked_until)
    failed = 1 if standing.locked_until else standing.failed + 1
    return Standing(failed, at + LOCK_US if failed >= TRIES else 0)


def take_back(standing: Standing) -> Standing:
    """The standing after a try that was right but is not the whole of a sign-in: only that try is forgotten.

    Else whoever knows a password could wipe out wrong second factors with it, for ever.

    >>> take_back(Standing(5, 99))
    Standing(failed=4, locked_until=0)
    """
    return Standing(max(standing.failed - 1, 0))


def has_idled(seen_at: int, at: int, idle_us: int) -> bool:
    """Whether nobody has touched a session for too long. An idle time of 0 never ends it.

    >>> has_idled(0, 15 * MINUTE_US, 15 * MINUTE_US), has_idled(0, 15 * MINUTE_US - 1, 15 * MINUTE_US)
    (True, False)
    """
    return idle_us > 0 and at - seen_at >= idle_us


def plain(text: str) -> str:
    """Text as it is compared: a full-width letter, as a Chinese keyboard types it, is the letter.

    >>> plain("\\uff21\\uff11 ")
    'A1'
    """
    return unicodedata.normalize("NFKC", text).strip()


def login_of(typed: str) -> str:
    """A login as it is kept.

    Raises
    ------
    BadLogin

    >>> login_of(" Wang.Li ")
    'wang.li'
    """
    login = plain(typed).casefold()
    if not login or len(login) > LOGIN_MAX or not login.isprintable() or " " in login:
        raise BadLogin(maximum=LOGIN_MAX)
    return login


def name_of(typed: str) -> str:
    """A name as it is kept.

    Raises
    ------
    BadName
    """
    name = unicodedata.normalize("NFC", typed).strip()
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise BadName(maximum=NAME_MAX)
    return name


def require_good(password: str, login: str, name: str) -> None:
    """Length and what everybody tries first; no rule about kinds of characters, and no expiry.

    Raises
    ------
    PasswordRefused

    Notes
    -----
    Source: NIST SP 800-63B, 5.1.1.2 (length and a list of known passwords, no composition rules, no periodic change).
    """
    bare = plain(password)
    if len(bare) < PASSWORD_MIN:
        raise PasswordTooShort(minimum=PASSWORD_MIN)
    if len(bare) > PASSWORD_MAX:
        raise PasswordTooLong(maximum=PASSWORD_MAX)
    folded = bare.casefold()
    if any(len(part) > 2 and part in folded for part in (login.casefold(), name.casefold())):
        raise PasswordTellsTheName()
    if is_common(folded):
        raise PasswordTooCommon()


def is_common(password: str) -> bool:
    """Whether a password is among the first that somebody would try.

    >>> [is_common(p) for p in ("1234567890", "aaaaaaaaaa", "woaini20241", "password!!", "abcabcabcabc")]
    [True, True, True, True, True]
    >>> is_common("correct horse battery")
    False
    """
    word = re.sub(r"^[\d\W_]+|[\d\W_]+$", "", password)
    steps = {ord(b) - ord(a) for a, b in pairwise(password)}
    repeated = re.fullmatch(r"(.{1,4})\1+.{0,3}", password) is not None
    only_digits = not word and len(password) < PASSWORD_MIN + 4  # a phone, a birthday twice, a QQ number
    return password in COMMON or word in COMMON or steps <= {1} or steps <= {-1} or repeated or only_digits
