import gzip
import io
import tarfile
from pathlib import Path

import pytest

from fog_node.runtimes.process.bundles import find_bundle, is_bundle, unpack
from fog_node.runtimes.runtime import ContainerFault
from tests.bundles import make_bundle, put_bundle


def test_a_bundle_is_found_by_its_digest_and_unpacked(tmp_path: Path) -> None:
    image = make_bundle(tmp_path, {"__main__.py": "print(1)", "package/part.py": "x = 1"})
    assert is_bundle(image)
    unpack(find_bundle(tmp_path, image), tmp_path / "code")
    assert (tmp_path / "code/package/part.py").read_text() == "x = 1"


def test_an_image_is_no_bundle(tmp_path: Path) -> None:
    assert not is_bundle(f"acme/clean@sha256:{'0' * 64}")
    with pytest.raises(ContainerFault) as fault:
        find_bundle(tmp_path, f"acme/clean@sha256:{'0' * 64}")
    assert fault.value.reason == "wrong_runtime"


def test_a_bundle_whose_content_is_not_its_name_is_refused(tmp_path: Path) -> None:
    image = make_bundle(tmp_path, {"__main__.py": ""})
    next(tmp_path.glob("*.tar.gz")).write_bytes(b"something else")
    with pytest.raises(ContainerFault) as fault:
        find_bundle(tmp_path, image)
    assert fault.value.reason == "bad_digest"


def test_a_bundle_without_a_main_is_refused(tmp_path: Path) -> None:
    image = make_bundle(tmp_path, {"other.py": ""})
    with pytest.raises(ContainerFault, match=r"no __main__\.py"):
        unpack(find_bundle(tmp_path, image), tmp_path / "code")


@pytest.mark.parametrize("name", ["../outside.py", "/etc/outside.py", "a/../../outside.py"])
def test_nothing_is_unpacked_outside(tmp_path: Path, name: str) -> None:
    _refused(tmp_path, tarfile.TarInfo(name))
    assert not list(tmp_path.rglob("outside.py"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_only_plain_files_are_unpacked(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("link")
    member.type, member.linkname = kind, "/etc/passwd"
    _refused(tmp_path, member)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for packed in (b"", b"nonsense", gzip.compress(b"nonsense")):
        image = put_bundle(tmp_path / "bundles", packed)
        with pytest.raises(ContainerFault) as fault:
            unpack(find_bundle(tmp_path / "bundles", image), tmp_path / f"code-{len(packed)}")
        assert fault.value.reason == "bad_bundle"


def _refused(folder: Path, member: tarfile.TarInfo) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(member, io.BytesIO(b""))
    image = put_bundle(folder / "bundles", gzip.compress(content.getvalue()))
    with pytest.raises(ContainerFault) as fault:
        unpack(find_bundle(folder / "bundles", image), folder / "code")
    assert fault.value.reason == "bad_bundle"
