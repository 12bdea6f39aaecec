"""A disk for a whole machine of arm64, of Debian's packages: systemd, Python, and what its owner puts on it.

Packages are unpacked and never run here, so their scripts were not either; what those would have done is in
:func:`_complete`. Needs Debian's mmdebstrap, e2fsprogs, cpio, and the network once a folder.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    *(
        "systemd",
        "systemd-sysv",
        "dbus",
        "udev",
        "kmod",
        "mount",
        "login",
        "passwd",
        "util-linux",
        "libpam-modules",
    ),
    *(
        "base-files",
        "base-passwd",
        "bash",
        "dash",
        "coreutils",
        "findutils",
        "grep",
        "gawk",
        "sed",
        "tar",
        "gzip",
    ),
    *("procps", "iproute2", "hostname", "libc-bin", "libseccomp2", "libstdc++6", "tzdata", "ca-certificates"),
    *("python3", "python3-venv", "python3-pip-whl", "python3-setuptools-whl", "busybox-static"),
)
KERNEL = "linux-image-cloud-arm64"
MODULES = ("failover", "net_failover", "virtio", "virtio_ring", "virtio_mmio", "virtio_blk", "virtio_net")
INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t devtmpfs none /dev
for module in @modules@; do /bin/busybox insmod /$module.ko; done
until /bin/busybox mount /dev/vda /root; do /bin/busybox sleep 0.1; done
/bin/busybox umount /proc
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""
NETWORK = """\
[Unit]
DefaultDependencies=no
Before=network.target
Wants=network.target
After=systemd-udevd.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/ip link set lo up
ExecStart=/bin/ip link set eth0 up
ExecStart=/bin/ip addr add 10.0.2.15/24 dev eth0
ExecStart=/bin/ip route add default via 10.0.2.2
[Install]
WantedBy=multi-user.target
"""
OWNER = """\
[Unit]
Description=What the machine's owner does after its start
After=network.target multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/owner.sh
StandardOutput=journal+console
StandardError=journal+console
[Install]
WantedBy=multi-user.target
"""
PAM = {name: (name,) for name in ("auth", "account", "password", "session")} | {
    "session-noninteractive": ("session",)
}
UNITS = {"test-network.service": NETWORK, "test-owner.service": OWNER}


def unpack(folder: Path) -> None:
    """Packages and kernel into ``folder``; what is there stays."""
    root, kernel = folder / "root", folder / "kernel"
    if not root.exists():
        command = ["mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64"]
        command += [f"--include={','.join(PACKAGES)}", SUITE, str(folder / "unpacked"), MIRROR]
        subprocess.run(command, check=True)
        _merge(folder / "unpacked")
        _complete(folder / "unpacked")
        (folder / "unpacked").rename(root)
    if not kernel.exists():
        # A package of its own: of the packages of a machine it would want those that make an initial disk.
        command = ["mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64"]
        command += [f"--include={KERNEL}", SUITE, str(folder / "with-kernel"), MIRROR]
        subprocess.run(command, check=True)
        (folder / "with-kernel").rename(kernel)
    _initial(folder)


def _merge(root: Path) -> None:
    """As every Debian of today has it: /bin, /sbin and /lib are links."""
    for name in ("bin", "sbin", "lib"):
        place = root / name
        if not place.is_symlink():
            subprocess.run(["cp", "--archive", f"{place}/.", str(root / "usr" / name)], check=True)
            shutil.rmtree(place)
            place.symlink_to(f"usr/{name}")


def _complete(root: Path) -> None:
    """What scripts of packages do."""
    etc = root / "etc"
    accounts = root / "usr" / "share" / "base-passwd"
    (etc / "passwd").write_text(
        (accounts / "passwd.master").read_text().replace("root:*:", "root:x:")
        + "messagebus:x:100:101::/nonexistent:/usr/sbin/nologin\n"
    )
    (etc / "group").write_text((accounts / "group.master").read_text() + "messagebus:x:101:\n")
    (etc / "shadow").write_text("root::19000:0:99999:7:::\n")
    (etc / "hostname").write_text("pi\n")
    (etc / "hosts").write_text("127.0.0.1 localhost pi\n")
    (etc / "fstab").write_text("/dev/vda / ext4 rw 0 1\n")
    # A machine with one is no new machine: systemd does not enable all that it finds.
    (etc / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    for name, kinds in PAM.items():
        (etc / "pam.d" / f"common-{name}").write_text(
            "".join(f"{kind} required pam_unix.so\n" for kind in kinds)
        )
    for name, target in (("run", "/run"), ("lock", "/run/lock")):
        shutil.rmtree(root / "var" / name, ignore_errors=True)
        (root / "var" / name).unlink(missing_ok=True)
        (root / "var" / name).symlink_to(target)
    system = etc / "systemd" / "system"
    (system / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    wanted = system / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    for name, text in UNITS.items():
        (system / name).write_text(text)
        (wanted / name).symlink_to(f"/etc/systemd/system/{name}")
    for name in ("getty.target", "systemd-logind.service", "apt-daily.timer", "dpkg-db-backup.timer"):
        (system / name).symlink_to("/dev/null")


def _initial(folder: Path) -> None:
    """The initial disk: Debian's kernel has virtio as modules."""
    made = folder / "initial"
    shutil.rmtree(made, ignore_errors=True)
    for name in ("bin", "proc", "dev", "root"):
        (made / name).mkdir(parents=True)
    shutil.copy2(folder / "root" / "usr" / "bin" / "busybox", made / "bin" / "busybox")
    for module in MODULES:
        (found,) = (folder / "kernel").glob(f"lib/modules/*/kernel/**/{module}.ko")
        shutil.copy2(found, made)
    (made / "init").write_text(INIT.replace("@modules@", " ".join(MODULES)))
    (made / "init").chmod(0o755)
    listed = "\n".join(str(path.relative_to(made)) for path in sorted(made.rglob("*")))
    with (folder / "initial.cpio").open("wb") as file:
        subprocess.run(
            ["cpio", "--quiet", "-o", "-H", "newc"], input=listed.encode(), stdout=file, cwd=made, check=True
        )


def make_disk(folder: Path, disk: Path) -> None:
    """A disk of what is unpacked."""
    disk.unlink(missing_ok=True)
    root = str(folder / "root")
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-d", root, str(disk), "2G"], check=True, stdout=subprocess.DEVNULL
    )


def put(disk: Path, files: Mapping[str, bytes | Path]) -> None:
    """More files on a disk that is not in use, by their path on it; all but the last folder are there."""
    subprocess.run(
        ["e2fsck", "-fy", str(disk)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with tempfile.TemporaryDirectory() as made:
        commands = []
        for number, (name, what) in enumerate(files.items()):
            source = Path(made) / str(number)
            source.write_bytes(what if isinstance(what, bytes) else what.read_bytes())
            commands += [f"mkdir {Path(name).parent}", f"rm {name}", f"write {source} {name}"]
        script = Path(made) / "commands"
        script.write_text("\n".join(commands) + "\n")
        # It says of folders that they are there, and of files that they are not.
        subprocess.run(["debugfs", "-w", "-f", str(script), str(disk)], check=True, capture_output=True)


def kernel_of(folder: Path) -> Path:
    """The kernel."""
    (found,) = (folder / "kernel" / "boot").glob("vmlinuz-*")
    return found


def check_root() -> None:
    """Raise unless files can be made that belong to root."""
    if os.geteuid() != 0:
        raise PermissionError("a disk with files of root can be made by root alone")
