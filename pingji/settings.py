"""Settings of one running process, read from `PINGJI_*` environment variables."""

from pathlib import Path
from typing import Literal

from pydantic import NonNegativeFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may set; each one is described in `docs/settings.md`."""

    model_config = SettingsConfigDict(env_prefix="PINGJI_", extra="ignore")

    database_url: str = f"sqlite:///{Path('var') / 'pingji.db'}"
    key: SecretStr | None = None
    key_file: Path | None = None
    retention_days: PositiveInt = 180
    county: str | None = None
    host: str = "127.0.0.1"
    port: int = 8050
    workers: PositiveInt = 1
    token: SecretStr | None = None
    language: Literal["zh_CN", "en"] = "zh_CN"
    tianditu_key: str | None = None
    evacuation_target_min: PositiveInt = 120
    import_limit_mb: PositiveInt = 200
    public_url: str | None = None
    idle_min: PositiveInt = 15
    second_factor: Literal["off", "offered", "required"] = "offered"
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_role_claim: str | None = None
    rate_limit: NonNegativeFloat = 1.0
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    slow_query_ms: PositiveInt = 200
    tls_cert_file: Path | None = None
    backup_dir: Path | None = None
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None
    webhook_allow: str = ""
