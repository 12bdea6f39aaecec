"""A machine of arm64 by QEMU's user mode: a root file system, whose programs this machine's kernel runs.

    machine = Arm64(root)
    machine.run("python3", "-c", "import platform; print(platform.machine())")     # aarch64

Programs see the folders that are `shared` under the same path, this machine's network, and their own file system
otherwise. Nothing is registered with this machine's kernel: a user namespace has a table of interpreters of its own
(Linux 6.7), so that whatever such a program starts is emulated, too.
"""

import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.engine import DockerEngine

QEMU = "qemu-aarch64-static"
PATH = "/usr/bin:/bin"
# The kernel's own words: name, M for magic bytes, what an ELF file of arm64 begins with, the mask, the interpreter, and
# F: it is opened now, so that it is found below another root, too.
_MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_ENTER = """\
set -eu
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf %s "$1" >/proc/sys/fs/binfmt_misc/register
root=$2 shared=$3
shift 3
for folder in /proc /dev $shared; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
exec /usr/sbin/chroot "$root" "$@"
"""


class Arm64Absent(Exception):
    """This machine cannot run programs of arm64."""


@dataclass(frozen=True)
class Arm64:
    """A root file system of arm64 on this machine."""

    root: Path
    shared: tuple[Path, ...] = ()
    """Folders of this machine that its programs see, too; their paths have no blanks."""
    path: str = PATH

    def command(self, *words: str | Path) -> Sequence[str]:
        """What this machine has to run; the process is the program's own, signals reach it."""
        qemu = shutil.which(QEMU)
        if qemu is None:
            raise Arm64Absent(f"needs {QEMU}, which is not installed (Debian: qemu-user-static)")
        rule = f":fogline-arm64:M::{_MAGIC}:{_MASK}:{qemu}:F"
        return [
            # Nothing of this machine's environment.
            *("env", "-i", f"PATH={self.path}", "HOME=/tmp"),
            *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _ENTER, "enter", rule),
            *(str(self.root), " ".join(map(str, self.shared)), *map(str, words)),
        ]

    def run(self, *words: str | Path) -> str:
        """Run a program to its end; what it wrote. Raises :class:`RuntimeError` with its words if it failed."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stderr}")
        return done.stdout


def unpacked(engine: DockerEngine, image: str, root: Path) -> Arm64:
    """The file system of an image of arm64; nothing of it is run."""
    made = engine.client.create_container(image, ["nothing"])
    archive = root.with_suffix(".tar")
    try:
        with archive.open("wb") as file:
            for chunk in engine.client.export(made):
                file.write(chunk)
    finally:
        engine.client.remove_container(made, force=True, v=True)
    with tarfile.open(archive) as opened:
        # Absolute links in it mean its own root, where it is run.
        opened.extractall(root, filter="fully_trusted")
    archive.unlink()
    settings = dict(one.split("=", 1) for one in engine.client.inspect_image(image)["Config"]["Env"] or [])
    return Arm64(root, path=settings.get("PATH", PATH))
