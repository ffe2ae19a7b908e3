"""Sealing: personal columns are encrypted in the store, and open to whoever holds the key.

`keys` are secrets and the file that holds them, `keyring` is what an engine seals and opens with, `column` are the
column types, `settling` makes sure that a store and a keyring belong together, `reseal` rewrites what is stored.
"""

from pingji.data.sealing.column import Sealed, SealedValues
from pingji.data.sealing.keyring import Keyring, attach, keys_of
from pingji.data.sealing.keys import BadKey, KeyMissing, KeyNotMade

__all__ = ["BadKey", "KeyMissing", "KeyNotMade", "Keyring", "Sealed", "SealedValues", "attach", "keys_of"]
