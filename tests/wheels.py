"""Wheels of Fogline for tests: as `make build` makes them, but in no time, and broken where a test wants it."""

import base64
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("fogline", "fog_node")
UNITS = ROOT / "deploy" / "systemd"


def make_wheel(folder: Path, version: str, changed: Mapping[str, str] | None = None) -> Path:
    """A wheel of this working copy under another version; ``changed``: files that read differently."""
    files = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }
    shared = f"fogline-{version}.data/data/share/fogline/systemd"
    files |= {f"{shared}/{path.name}": path.read_bytes() for path in sorted(UNITS.iterdir())}
    files["fogline/__init__.py"] += f'\n__version__ = "{version}"\n'.encode()
    files |= {name: text.encode() for name, text in (changed or {}).items()}
    info = f"fogline-{version}.dist-info"
    files[f"{info}/METADATA"] = _metadata(version).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nfogline = fogline.cli.main:main\n"
    listed = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items())
    files[f"{info}/RECORD"] = f"{listed}{info}/RECORD,,\n".encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"fogline-{version}-py3-none-any.whl"
    wheel.write_bytes(made.getvalue())
    return wheel


def _metadata(version: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [f"Requires-Dist: {one}" for one in project["dependencies"]]
    wanted += [f'Requires-Dist: {one}; extra == "node"' for one in project["optional-dependencies"]["node"]]
    lines = ["Metadata-Version: 2.1", "Name: fogline", f"Version: {version}", "Provides-Extra: node", *wanted]
    return "\n".join([*lines, ""])


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
