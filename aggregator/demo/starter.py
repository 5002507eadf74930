"""The YAML files that ship with the program: the starter and the demo."""

from pathlib import Path


def path(name: str) -> Path:
    """Return where `name`, such as `demo.yaml`, lies: in the wheel, else in the checkout."""
    here = Path(__file__).parent
    shipped = here / "files" / name
    return shipped if shipped.exists() else here.parent.parent / "config" / name
