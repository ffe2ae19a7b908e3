"""The samples of `deploy/`: every name that one of them uses is defined, and nothing has more than it needs."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pingji.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
SAFE_RATING = 2.5  # of systemd's own scale up to 10
NGINX_STREAM = re.compile(r"location = /api/v1/live \{(.*?)\n    \}", re.DOTALL)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def test_what_services_use_is_defined(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert set(service.get("secrets", ())) <= set(compose["secrets"]), name
        assert set(service["networks"]) <= set(compose["networks"]), name
        assert set(service.get("depends_on", ())) <= set(compose["services"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"], volume
        for word in re.findall(r"/run/secrets/(\w+)", yaml.safe_dump(service)):
            assert word in service["secrets"], name
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./secrets/")


def test_services_have_no_more_than_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "pid", "network_mode", "devices"} & set(service), name
    for name in ("pingji", "upgrade", "proxy"):
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["read_only"] is True
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["database"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}
    assert "owner_password" not in services["pingji"]["secrets"]


def test_the_container_does_not_run_as_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER pingji$", last, re.MULTILINE)
    assert last.index("USER pingji") < last.index('CMD ["pingji"')


def test_settings_in_the_samples_exist() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*") if path.is_file()]
    named = {name for text in texts for name in re.findall(r"\bPINGJI_([A-Z_]+)\b", text)}
    assert {name.lower() for name in named} - set(Settings.model_fields) <= {"name", "upstream"}


def test_the_stream_is_not_buffered() -> None:
    found = NGINX_STREAM.search((DEPLOY / "nginx" / "pingji.conf").read_text(encoding="utf-8"))
    assert found
    assert "proxy_buffering off;" in found[1]
    assert "gzip off;" in found[1]
    assert "flush_interval -1" in (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["nginx/pingji.conf", "caddy/Caddyfile"])
def test_forwarded_addresses_are_set_and_never_appended(name: str) -> None:
    text = (DEPLOY / name).read_text(encoding="utf-8")
    assert "proxy_add_x_forwarded_for" not in text
    assert re.search(r"X-Forwarded-For (\$remote_addr|\{remote_host\})", text)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_confined(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    rated = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    if rated is None:
        pytest.skip(f"systemd-analyze can't rate here: {done.stderr.strip()[:100]}")
    assert float(rated[1]) <= SAFE_RATING
