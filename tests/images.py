"""Images for tests, made of this machine's own Python: no registry is asked.

    base = python_layer()                      # once a run, about 2 s
    image = make_image((base, layer({"/app/main.py": b"..."})), entrypoint=("python3", "/app/main.py"))
    engine.load(image)                         # -> a reference to run it by

An image is as `docker save` writes it, and :mod:`tests.registry` serves the same one.
"""

import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from fog_node.runtimes.docker.images import ARCHITECTURES

CACHE = "__pycache__"
LEFT_OUT = frozenset({"test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"})
PROGRAMS = ("env", "cat", "ls", "mv", "sleep", "sh")
"""What tests run beside Python, as far as this machine has it."""


@dataclass(frozen=True)
class ImageFile:
    """An image with its layers, uncompressed."""

    layers: tuple[bytes, ...]
    config: bytes

    @cached_property
    def id(self) -> str:
        """The id that every engine gives it."""
        return digest(self.config)

    @cached_property
    def archive(self) -> bytes:
        """As `docker load` reads it."""
        names = [f"{hashlib.sha256(one).hexdigest()}.tar" for one in self.layers]
        manifest = json.dumps([{"Config": "config.json", "RepoTags": None, "Layers": names}]).encode()
        files = {"config.json": self.config, "manifest.json": manifest}
        return layer(files | dict(zip(names, self.layers, strict=True)), folders=False)

    @cached_property
    def manifest(self) -> bytes:
        """As a registry hands it out."""
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        of_layer = "application/vnd.docker.image.rootfs.diff.tar"
        described = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(self.config),
                "digest": self.id,
            },
            "layers": [
                {"mediaType": of_layer, "size": len(one), "digest": digest(one)} for one in self.layers
            ],
        }
        return json.dumps(described).encode()


def make_image(
    layers: Iterable[bytes],
    *,
    entrypoint: Sequence[str],
    command: Sequence[str] = (),
    architecture: str = "",
    environment: Sequence[str] = ("PATH=/usr/bin:/bin",),
) -> ImageFile:
    """An image of these layers, the lowest first."""
    stack = tuple(layers)
    config = {
        "architecture": architecture or ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": list(entrypoint), "Cmd": list(command), "Env": list(environment)},
        "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in stack]},
        "history": [],
    }
    return ImageFile(stack, json.dumps(config).encode())


def layer(files: Mapping[str, bytes | Path | str], *, folders: bool = True) -> bytes:
    """A layer of these files by path; a ``Path`` is a file of this machine, a text is where a link leads.

    A file keeps its time: what Python has compiled ahead says by it which source it is of.
    """
    content = io.BytesIO()
    made: set[str] = set()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path, what in files.items():
            name = path.lstrip("/")
            if folders:
                _add_folders(archive, name, made)
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            if isinstance(what, str):
                member.type, member.linkname = tarfile.SYMTYPE, what
                archive.addfile(member)
            else:
                data = what.read_bytes() if isinstance(what, Path) else what
                member.size = len(data)
                member.mtime = int(what.stat().st_mtime) if isinstance(what, Path) else 0
                archive.addfile(member, io.BytesIO(data))
    return content.getvalue()


@cache
def python_layer(*, compiled: bool = False) -> bytes:
    """This machine's Python with its standard library, and every library that these need.

    ``compiled``: with what Python has compiled of it, which halves the start of a program.
    """
    program = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}").resolve()
    bases = {"base": sys.base_prefix, "installed_base": sys.base_prefix}
    found = {
        str(path): path
        for path in _library(Path(sysconfig.get_path("stdlib", vars=bases)), compiled=compiled)
    }
    found |= {str(path): path for name in PROGRAMS if (path := Path("/usr/bin") / name).exists()}
    found[str(program)] = program
    objects = [program, *(path for path in found.values() if ".so" in path.name or not path.suffix)]
    found |= {str(path): path.resolve() for path in libraries_of(objects)}
    # Where /lib is a link to /usr/lib, its files lie there.
    links = {link: f"usr{link}" for link in ("/bin", "/lib", "/lib64") if Path(link).is_symlink()}
    files: dict[str, bytes | Path | str] = dict(links)
    for place, file in found.items():
        top = f"/{place.split('/')[1]}"
        files[f"/usr{place}" if top in links else place] = file
    if str(program) != "/usr/bin/python3":
        files["/usr/bin/python3"] = str(program)
    accounts = {"/etc/passwd": b"root:x:0:0::/:/bin/sh\n", "/etc/group": b"root:x:0:\n"}
    return layer(files | {f"/{name}/.keep": b"" for name in ("tmp", "run", "proc", "dev")} | accounts)


@cache
def program_layer(name: str) -> bytes:
    """One program of this machine with its libraries, some MiB: where Python would be too much."""
    program = Path(shutil.which(name) or name).resolve()
    files: dict[str, bytes | Path | str] = {
        link: f"usr{link}" for link in ("/bin", "/lib", "/lib64") if Path(link).is_symlink()
    }
    links = set(files)
    for path in (program, *libraries_of([program])):
        place = str(path)
        files[f"/usr{place}" if f"/{place.split('/')[1]}" in links else place] = path.resolve()
    return layer(files | {f"/{name}/.keep": b"" for name in ("tmp", "run", "proc", "dev")})


def packages(
    names: Sequence[str], into: str = "/app", *, compiled: bool = False
) -> dict[str, bytes | Path | str]:
    """Files of packages that are installed here, for :func:`layer`: what an operator imports."""
    files: dict[str, bytes | Path | str] = {}
    for name in names:
        root = next(path for entry in sys.path if entry and (path := Path(entry) / name).exists())
        found = _library(root, compiled=compiled) if root.is_dir() else (root,)
        files |= {f"{into}/{path.relative_to(root.parent)}": path for path in found}
    return files


def shared_libraries(files: Mapping[str, bytes | Path | str]) -> dict[str, bytes | Path | str]:
    """What the libraries among these files need of this machine, for :func:`layer` above :func:`python_layer`."""
    objects = [what for what in files.values() if isinstance(what, Path) and ".so" in what.name]
    # Where /lib is a link to /usr/lib, a layer with files in it would take the link's place.
    needed = {
        f"/usr{path}" if str(path).startswith("/lib") else str(path): path for path in libraries_of(objects)
    }
    return {name: path.resolve() for name, path in needed.items() if "/site-packages/" not in name}


def libraries_of(objects: Iterable[Path]) -> set[Path]:
    """Libraries of this machine that these programs and libraries need."""
    paths = [str(path) for path in objects]
    said = subprocess.run(["ldd", *paths], capture_output=True, text=True, check=False).stdout
    return {Path(found) for found in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", said, re.MULTILINE)}


def digest(data: bytes) -> str:
    """As images and registries write it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _library(root: Path, *, compiled: bool) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name in LEFT_OUT or path.name.startswith(("config-", "site-packages", "dist-packages")):
            continue
        if path.name == CACHE and not compiled:
            continue
        if path.is_dir():
            yield from _library(path, compiled=compiled)
        elif path.suffix != ".a":
            yield path


def _add_folders(archive: tarfile.TarFile, name: str, made: set[str]) -> None:
    parts = name.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        folder = "/".join(parts[:depth])
        if folder not in made:
            made.add(folder)
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            member.mode = 0o1777 if folder == "tmp" else 0o755
            archive.addfile(member)
