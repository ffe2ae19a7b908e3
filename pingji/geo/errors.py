"""Errors of the geometry room."""


class GeoError(Exception):
    """Base of every error that geometry raises; `params` are the values that its message needs."""

    def __init__(self, **params: object) -> None:
        super().__init__(", ".join(f"{k}={v}" for k, v in params.items()))
        self.params = params
