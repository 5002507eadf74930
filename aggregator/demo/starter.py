"""Find the YAML files shipped with the program: the starter and the demo."""

from pathlib import Path


def path(name: str) -> Path:
    """Return the path of a file such as `demo.yaml`, in the wheel or the checkout."""
    here = Path(__file__).parent
    shipped = here / "files" / name
    return shipped if shipped.exists() else here.parent.parent / "config" / name
