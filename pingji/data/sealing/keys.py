"""Keys of personal data: what they look like, and the file that holds them."""

import base64
import binascii
import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from pingji.data.errors import DataError

KEY_BYTES = 64  # AES-256 in SIV mode takes two keys of 32
_ABOUT = "# Keys of the personal data in the store, the newest first. Without them its names and phones are lost.\n"


class BadKey(DataError):
    """What should be a key is none. `source`, `line`."""


class KeyMissing(DataError):
    """The store was sealed with a key that isn't there. `source` was looked in for `ids`, and has `found`."""


class KeyNotMade(DataError):
    """A key file can't be written. `source`, `reason`."""


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, and the short id that sealed values name it by; the id tells nothing of the secret."""

    id: str
    secret: bytes = field(repr=False)
    cipher: AESSIV = field(repr=False, compare=False)


def key_of(secret: bytes) -> Key:
    """The key that 64 secret bytes are.

    >>> key_of(bytes(64)).id
    '4255045f'
    """
    return Key(hashlib.blake2b(secret, digest_size=4, person=b"pingji key id").hexdigest(), secret, AESSIV(secret))


def new_key() -> Key:
    """A key that nobody has yet."""
    return key_of(secrets.token_bytes(KEY_BYTES))


def parse(text: str, where: str) -> tuple[Key, ...]:
    """Keys in base64, one a line or a word, the newest first; what follows a `#` is a remark.

    Raises
    ------
    BadKey
        Not base64, or not 64 bytes.
    """
    found: dict[str, Key] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        for word in line.partition("#")[0].replace(",", " ").split():
            try:
                secret = base64.b64decode(word, altchars=b"-_" if {"-", "_"} & set(word) else None, validate=True)
            except (binascii.Error, ValueError) as error:
                raise BadKey(source=where, line=number) from error
            if len(secret) != KEY_BYTES:
                raise BadKey(source=where, line=number)
            key = key_of(secret)
            found.setdefault(key.id, key)
    return tuple(found.values())


def read_file(path: Path) -> tuple[Key, ...]:
    """The keys of a file; none where there is no such file.

    Raises
    ------
    BadKey
        The file can't be read, or holds something else.
    """
    try:
        return parse(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(source=str(path), line=0) from error


def make_file(path: Path) -> bool:
    """Put a new key into a file that isn't there yet; False where somebody was faster.

    Raises
    ------
    KeyNotMade
    """
    unfinished = _written(path, [new_key()])
    try:
        os.link(unfinished, path)  # unlike a rename it never replaces a key that is there
    except FileExistsError:
        return False
    except OSError as error:
        raise KeyNotMade(source=str(path), reason=error.strerror or str(error)) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def replace_file(path: Path, keys: Sequence[Key]) -> None:
    """Write a file of keys in place of the one that is there: all of it, or nothing.

    Raises
    ------
    KeyNotMade
    """
    unfinished = _written(path, keys)
    try:
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise KeyNotMade(source=str(path), reason=error.strerror or str(error)) from error
    _sync(path.parent)


def _written(path: Path, keys: Sequence[Key]) -> Path:
    """A finished file beside `path` that only its owner can read."""
    lines = [f"{base64.b64encode(key.secret).decode()}  # {key.id}\n" for key in keys]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(_ABOUT + "".join(lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyNotMade(source=str(path), reason=error.strerror or str(error)) from error
    return Path(name)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
