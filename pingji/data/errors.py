"""Errors of the store; each subclass has a text of its own in `dashboard/locale`, under `error.<code>`."""


class DataError(Exception):
    """Base of every error that the store raises; `params` are the values that its message needs."""

    def __init__(self, **params: object) -> None:
        super().__init__(", ".join(f"{k}={v}" for k, v in params.items()))
        self.params = params
