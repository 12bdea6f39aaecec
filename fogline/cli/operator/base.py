"""A base image for operators, made of Debian's packages: for those who have no hub.

Packages are unpacked, never run, so that it is made for arm64 on amd64 without emulation. It holds Python, and what the
SDK imports; operators built on it share that, and are small.
"""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import fogline
from fogline.cli.operator.archive import folder_files, tar_of
from fogline.cli.operator.engine import Engine, Say
from fogline.cli.operator.foreign import Target
from fogline.cli.operator.image import HAS_LIBRARIES, PYTHON_OF
from fogline.cli.operator.packages import LIBRARIES, compile_ahead, put_packages
from fogline.model.errors import Unavailable

NAME: Final = "fogline-operator-base"
SUITE: Final = "bookworm"
PYTHON: Final = "3.11"
"""What that suite has."""

_DEBIAN: Final = (
    "python3-minimal",
    "libpython3.11-stdlib",
    "ca-certificates",
    "libc6",
    "zlib1g",
    "libstdc++6",
    "tzdata",
)
_SITE: Final = "usr/lib/python3/dist-packages"
_LIBRARY: Final = f"usr/lib/python{PYTHON}"
_AUTHORITIES: Final = "usr/share/ca-certificates/mozilla/"
_BUNDLE: Final = "etc/ssl/certs/ca-certificates.crt"
_ACCOUNTS: Final = (
    ("etc/passwd", b"root:x:0:0:root:/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"),
    ("etc/group", b"root:x:0:\nnogroup:x:65534:\n"),
    ("etc/nsswitch.conf", b"hosts: files dns\n"),
)
_FOLDERS: Final = (
    ("tmp", 0o1777),
    ("run", 0o755),
    ("proc", 0o555),
    ("sys", 0o555),
    ("dev", 0o755),
    ("app", 0o755),
)
_SAID: Final = 4


def make_base(engine: Engine, *, architecture: str, tag: str, wheels: Path | None, say: Say) -> str:
    """Make the base for an architecture; its reference, by its id. Raises :class:`Unavailable`."""
    if shutil.which("mmdebstrap") is None:
        raise Unavailable("mmdebstrap is not installed", hint="`apt-get install mmdebstrap`, as root")
    target = Target(architecture=architecture, python=PYTHON)
    with tempfile.TemporaryDirectory(prefix="fogline-") as made:
        root, site = Path(made) / "root.tar", Path(made) / "site"
        say(f"unpacking Debian's packages for {architecture} ...")
        _bootstrap(root, architecture)
        put_packages(LIBRARIES, site, target, wheels)
        compile_ahead(site, target, f"/{_SITE}")
        library = Path(made) / "library"
        _take_library(root, library)
        compile_ahead(library, target, f"/{_LIBRARY}")
        _complete(root, [*folder_files(site, _SITE), *_compiled(library)])
        libraries = " ".join(LIBRARIES)
        dockerfile = (
            f'FROM scratch\nADD root.tar /\nLABEL {PYTHON_OF}="{PYTHON}" {HAS_LIBRARIES}="{libraries}"\n'
            f'ENV SSL_CERT_FILE=/{_BUNDLE}\nCMD ["python3"]\n'
        )
        context = tar_of([("Dockerfile", dockerfile.encode()), ("root.tar", root)])
    name = f"{NAME}:{tag or f'{PYTHON}-{architecture}'}"
    platform = f"linux/{architecture}"
    labels = {"fogline.version": fogline.__version__}
    image_id = engine.build(context, tag=name, base="", platform=platform, labels=labels, say=say)
    return f"{name}@{image_id}"


def _bootstrap(root: Path, architecture: str) -> None:
    command = ["mmdebstrap", "--quiet", "--variant=extract", f"--architectures={architecture}"]
    command += [f"--include={','.join(_DEBIAN)}", SUITE, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "; ".join(done.stderr.strip().splitlines()[-_SAID:])
        raise Unavailable(f"Debian's packages cannot be had: {said}", hint="the network? apt's sources?")


def _take_library(root: Path, into: Path) -> None:
    """Python's own library, to be compiled: in a container nothing can be written that would be kept."""
    with tarfile.open(root) as archive:
        for member in archive:
            inside, _, path = member.name.removeprefix("./").partition(f"{_LIBRARY}/")
            if inside or not member.isreg() or not path.endswith(".py"):
                continue
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if (file := archive.extractfile(member)) is not None:
                target.write_bytes(file.read())


def _compiled(library: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(library.rglob("*.pyc")):
        yield f"{_LIBRARY}/{path.relative_to(library).as_posix()}", path


def _complete(root: Path, more: Sequence[tuple[str, Path | bytes]]) -> None:
    """What scripts of packages would have made: they are not run."""
    with tarfile.open(root) as archive:
        found = [member for member in archive if member.name.removeprefix("./").startswith(_AUTHORITIES)]
        opened = [archive.extractfile(member) for member in found if member.isreg()]
        authorities = b"".join(file.read() for file in opened if file is not None)
    with tarfile.open(root, "a") as archive:
        for name, mode in _FOLDERS:
            member = tarfile.TarInfo(f"./{name}")
            member.type, member.mode = tarfile.DIRTYPE, mode
            archive.addfile(member)
        files = [*_ACCOUNTS, (_BUNDLE, authorities)]
        for name, what in [*files, *more]:
            data = what if isinstance(what, bytes) else what.read_bytes()
            member = tarfile.TarInfo(f"./{name}")
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))
