"""Passwords as argon2id hashes."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from pingji.data.access.secret import new_code
from pingji.ops.sign_in import plain

# 75 to 100 ms on the 2-core machine that the figures of this project are taken on, and more than OWASP's least
# (19 MiB, 2 passes). One lane: a server verifies several people at once, each on a thread of its own.
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
ONE_TIME_LENGTH = 14  # 69 bits


def hash_password(password: str) -> str:
    """The hash to keep."""
    return _HASHER.hash(plain(password))


def matches(kept: str, password: str) -> bool:
    """Whether it is the password. An account without one costs the same time, and never matches."""
    try:
        return _HASHER.verify(kept or _nobodys(), plain(password)) and bool(kept)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def one_time_password() -> str:
    """A password that is said to somebody once, and must be changed at the first sign-in."""
    code = new_code(ONE_TIME_LENGTH)
    return f"{code[:5]}-{code[5:10]}-{code[10:]}"


@cache
def _nobodys() -> str:
    """The hash that an unknown login is compared with."""
    return _HASHER.hash(new_code(ONE_TIME_LENGTH))
