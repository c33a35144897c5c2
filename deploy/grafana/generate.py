"""Write every dashboard into dashboards/, from where Grafana is provisioned (`make dashboards`)."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import overview, profile, variant
from tailq.artefact import write_bytes

FOLDER = Path(__file__).parent / "dashboards"


def contents() -> dict[str, str]:
    """Every generated file by its name."""
    built = (module.dashboard().build() for module in (overview, variant, profile))
    return {f"{one.uid}.json": _written(one) for one in built}


def _written(dashboard: Dashboard) -> str:
    """As JSON. Panels are numbered in their order: Grafana tells them apart by that."""
    for number, panel in enumerate(dashboard.panels or (), start=1):
        panel.id_val = number
    encoder = JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False)
    return encoder.encode(dashboard) + "\n"


if __name__ == "__main__":
    for name, content in contents().items():
        write_bytes(FOLDER / name, content.encode())
