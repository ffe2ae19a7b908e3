"""Who acts on the command line: the user of the machine."""

import getpass
import socket

from pingji.data.origin import Origin


def machine_user() -> Origin:
    """The machine's user as the audit writes it, `user@machine`: no name of an account looks like that by chance."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a number without a name, as in containers
        user = "?"
    name = f"{user}@{socket.gethostname()}"
    return Origin(id="", name=name, door="cli", address=name)
