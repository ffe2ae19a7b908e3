"""A keyring: what one engine seals personal values with, and opens them by.

A sealed value is `s1.<key id>.<base64url>`: AES-SIV (RFC 5297), with the column's label as associated data. It is
deterministic, so that the same name is the same text: an import that changes nothing changes nothing, and a name can
be looked up by equality. Empty stays empty; what carries no mark reads as it is, for stores from before there was a
key.
"""

import base64
import logging
import os
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.engine import make_url

from pingji.data.sealing.keys import Key, KeyMissing, make_file, parse, read_file

MARK = "s1."
UNREADABLE = "\ufffd"  # in place of a value that was tampered with: neither nobody, nor anybody
REMEMBERED = 32_768  # opened values of one column that a process keeps: about 8 MB
_NOTHING: Mapping[str | None, str | None] = {None: None, "": ""}  # most cells: never worth a call
_SEALED = re.compile(r"s1\.([0-9a-f]{8})\.([A-Za-z0-9_-]{22,})")
_DEFAULT_FILE = Path("var") / "pingji.key"
_ON_DIALECT = "pingji_keys"
log = logging.getLogger(__name__)


class Keyring:
    """The keys of one engine, from one place: the environment, or a file that may change while we run.

    `settled` is set once a transaction has found that the store and these keys belong together.
    """

    def __init__(self, *, text: str = "", file: Path | None = None) -> None:
        self._text = text
        self.file = None if text else file or _DEFAULT_FILE
        self.where = "PINGJI_KEY" if text else str(self.file)
        self.keys: Mapping[str, Key] = {}
        self.writing: Key | None = None
        self.made = False  # by us, just now
        self.settled = False
        self._stamp: tuple[int, ...] | None = None
        self._opened: dict[str, Opened] = {}
        self._lock = Lock()

    @classmethod
    def for_store(cls, url: str, key: str | None = None, file: Path | None = None) -> "Keyring":
        """The keyring of a store: what is given, else the environment's, else a file beside the store."""
        if key or (file is None and (key := os.environ.get("PINGJI_KEY", ""))):
            return cls(text=key)
        named = file or os.environ.get("PINGJI_KEY_FILE")
        if named:
            return cls(file=Path(named))
        parsed = make_url(url)
        beside = parsed.database if parsed.get_backend_name() == "sqlite" else None
        return cls(file=Path(beside).with_suffix(".key") if beside else None)

    @property
    def fresh(self) -> bool:
        """Whether it is settled, and its file is as it was when it was read."""
        return self.settled and (self.file is None or _stamp(self.file) == self._stamp)

    def load(self) -> None:
        """Read the keys again; those of a file that went away meanwhile are kept.

        Raises
        ------
        BadKey
        """
        stamp = _stamp(self.file) if self.file else None
        found = parse(self._text, self.where) if self.file is None else read_file(self.file)
        if found:
            self.keys = {key.id: key for key in found}
            if self.writing is None or self.writing.id not in self.keys:
                self.writing = found[0]
        self._stamp = stamp

    def make(self) -> None:
        """Make the key of a store that has none.

        Raises
        ------
        KeyMissing
            Keys come from the environment, and it holds none.
        KeyNotMade
        """
        if self.file is None:
            raise KeyMissing(source=self.where, ids="–", found="–")
        self.made = make_file(self.file) or self.made
        self.load()

    def require(self, ids: Iterable[str]) -> None:
        """Pass where all of these keys are here.

        Raises
        ------
        KeyMissing
        """
        self.load()
        missing = sorted(set(ids) - self.keys.keys())
        if missing:
            raise KeyMissing(source=self.where, ids=", ".join(missing), found=", ".join(self.keys) or "–")

    def settle(self, in_use: str) -> None:
        """Seal with this key from now on: the store says so."""
        self.writing = self.keys[in_use]
        self.settled = True

    def forget(self) -> None:
        """Ask the store again before the next transaction: it may be another one."""
        self.settled = False

    def seal(self, label: str, text: str) -> str:
        """A value as it is stored; empty stays empty."""
        if not text:
            return text
        return sealed_with(self.writing or self._first(), label, text)

    def open(self, label: str, text: str) -> str:
        """A stored value as it was; what isn't sealed, as it is.

        One that can't be opened is logged and reads as a replacement character: a single one must not take a whole
        list away from people in an emergency. That the store's key itself is missing is noticed before, by `settle`.
        """
        found = _SEALED.fullmatch(text)
        if found is None:
            return text
        id, body = found.groups()
        if id not in self.keys:
            self.load()  # a rotation may have begun since
        key = self.keys.get(id)
        if key is None:
            log.error("a value of %s is sealed with the key %s, which is not in %s", label, id, self.where)
            self.forget()  # if the store is of another key by now, the next transaction says so
            return UNREADABLE
        try:
            return key.cipher.decrypt(base64.urlsafe_b64decode(body + "=="), [label.encode()]).decode()
        except (InvalidTag, ValueError):
            log.error("a value of %s can't be opened with the key %s: somebody else has changed it", label, id)
            return UNREADABLE

    def opened(self, label: str) -> "Opened":
        """The opened values of a column, by the sealed ones."""
        with self._lock:
            return self._opened.setdefault(label, Opened(self, label))

    def _first(self) -> Key:
        """The key to seal with where no store could be asked, before its tables are there."""
        self.load()
        if self.writing is None:
            self.make()
        assert self.writing is not None
        return self.writing


def sealed_with(key: Key, label: str, text: str) -> str:
    """A value sealed with a certain key."""
    sealed = key.cipher.encrypt(text.encode(), [label.encode()])
    return f"{MARK}{key.id}.{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"


class Opened(dict[str | None, str | None]):
    """Plain values by sealed ones, remembered: a look-up of a dict is a tenth of opening a value.

    Handed to SQLAlchemy as `__getitem__`, so that what is known costs no call into Python.
    """

    __slots__ = ("_label", "_lock", "_ring")

    def __init__(self, ring: Keyring, label: str) -> None:
        super().__init__(_NOTHING)
        self._ring, self._label, self._lock = ring, label, Lock()

    def __missing__(self, text: str | None) -> str | None:
        if text is None or not text.startswith(MARK):
            return text
        plain = self._ring.open(self._label, text)
        if plain == UNREADABLE:
            return plain
        with self._lock:
            if len(self) >= REMEMBERED:
                for old in list(islice(self, REMEMBERED // 2)):
                    del self[old]
                self.update(_NOTHING)
            self[text] = plain
        return plain


def attach(engine: Engine, ring: Keyring) -> None:
    """Give an engine its keyring; types find it on the dialect."""
    setattr(engine.dialect, _ON_DIALECT, ring)


def keys_of(bind: Connection | Engine | Dialect) -> Keyring:
    """The keyring of an engine."""
    dialect = bind if isinstance(bind, Dialect) else bind.dialect
    ring = getattr(dialect, _ON_DIALECT, None)
    if not isinstance(ring, Keyring):
        raise TypeError("personal columns need an engine of open_engine")
    return ring


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_mtime_ns, now.st_size, now.st_ino
