"""Random secrets: what a session or a token is opened with, and codes that a person types."""

import hashlib
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another: 0 O, 1 I L


def new_secret() -> str:
    """256 random bits, safe in a URL and in a cookie."""
    return secrets.token_urlsafe(32)


def new_code(length: int) -> str:
    """A code for people: capitals and digits that can't be mistaken."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def typed_code(typed: str) -> str:
    """A code as it was made, however it was typed.

    >>> typed_code(" abcd-ef23 ")
    'ABCDEF23'
    """
    return "".join(c for c in typed.upper() if c.isalnum())


def digest_of(secret: str) -> str:
    """What is kept of a secret. Plain SHA-256: unlike a password, a random secret can't be guessed from it."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
