"""Settings of one running process, read from `PINGJI_*` environment variables."""

from pathlib import Path
from typing import Literal

from pydantic import PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may set; each one is described in `docs/settings.md`."""

    model_config = SettingsConfigDict(env_prefix="PINGJI_", extra="ignore")

    database_url: str = f"sqlite:///{Path('var') / 'pingji.db'}"
    county: str | None = None
    host: str = "127.0.0.1"
    port: int = 8050
    workers: PositiveInt = 1
    token: SecretStr | None = None
    language: Literal["zh_CN", "en"] = "zh_CN"
    tianditu_key: str | None = None
    evacuation_target_min: PositiveInt = 120
    import_limit_mb: PositiveInt = 200
