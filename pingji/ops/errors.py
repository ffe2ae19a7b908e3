"""Errors of the rules; each subclass has a text of its own in `dashboard/locale`, under `error.<code>`."""


class OpsError(Exception):
    """Base of every error that the rules raise; `params` are the values that its message needs."""

    def __init__(self, **params: object) -> None:
        super().__init__(", ".join(f"{k}={v}" for k, v in params.items()))
        self.params = params
