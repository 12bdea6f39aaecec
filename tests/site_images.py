"""What a site runs beside Fogline, as images of this machine's own packages: a broker, Prometheus, PostgreSQL.

    names = site_images(engine)      # -> {"MOSQUITTO_IMAGE": "sha256:...", ...} for deploy/compose

They start as the public images of these programs do, as far as deploy/compose relies on it. No hub is asked.
"""

import shutil
from pathlib import Path

from tests.engine import DockerEngine
from tests.images import ImageFile, layer, libraries_of, make_image
from tests.postgres import binaries

EVERYWHERE = "/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ("sh", "sed", "cat", "mkdir", "chown", "setpriv", "env", "head", "locale")
ACCOUNTS = b"root:x:0:0::/:/bin/sh\nmosquitto:x:1883:1883::/:/bin/sh\npostgres:x:999:999::/:/bin/sh\n"
GROUPS = b"root:x:0:\nmosquitto:x:1883:\npostgres:x:999:\n"
POSTGRES = """\
set -e
export PGDATA=/var/lib/postgresql/data PATH=@bin@:$PATH
if [ "$1" != inner ]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown postgres "$PGDATA" /var/run/postgresql
  exec setpriv --reuid=999 --regid=999 --clear-groups sh /start inner
fi
if ! [ -s "$PGDATA/PG_VERSION" ]; then
  initdb -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --auth=scram-sha-256 --locale=C \
    --encoding=UTF8
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -D "$PGDATA" postgres
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -k /var/run/postgresql
"""


def site_images(engine: DockerEngine) -> dict[str, str]:
    """Have the images; their ids by the variables of ``deploy/compose/compose.yml``."""
    made = {
        "MOSQUITTO_IMAGE": _mosquitto(),
        "PROMETHEUS_IMAGE": _prometheus(),
        "POSTGRESQL_IMAGE": _postgres(),
    }
    for image in made.values():
        engine.load(image)
    return {name: image.id for name, image in made.items()}


def _mosquitto() -> ImageFile:
    return make_image(
        (_programs("mosquitto"),), entrypoint=("mosquitto",), environment=(f"PATH={EVERYWHERE}",)
    )


def _prometheus() -> ImageFile:
    options = ("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus")
    return make_image(
        (_programs("prometheus"),),
        entrypoint=("prometheus",),
        command=options,
        environment=(f"PATH={EVERYWHERE}",),
    )


def _postgres() -> ImageFile:
    programs = binaries()
    share = Path("/usr/share/postgresql") / programs.parent.name
    if not share.exists():
        share = programs.parent / "share"
    trees = (programs, programs.parent / "lib", share, Path("/usr/share/zoneinfo"))
    files = {str(path): path for tree in trees for path in sorted(tree.rglob("*")) if path.is_file()}
    start = POSTGRES.replace("@bin@", str(programs)).encode()
    content = _programs(*(str(programs / name) for name in ("postgres", "initdb", "pg_isready", "psql")))
    return make_image(
        (content, layer({**files, "/start": start})),
        entrypoint=("sh", "/start"),
        environment=(f"PATH={programs}:{EVERYWHERE}",),
    )


def _programs(*names: str) -> bytes:
    """A layer of programs with a shell and the libraries that all of them need."""
    found = [Path(there) for name in (*TOOLS, *names) if (there := shutil.which(name, path=EVERYWHERE))]
    files: dict[str, bytes | Path | str] = {
        link: f"usr{link}" for link in ("/bin", "/sbin", "/lib", "/lib64") if Path(link).is_symlink()
    }
    for path in (*found, *libraries_of(found)):
        top = f"/{path.parts[1]}"
        files[f"/usr{path}" if top in files else str(path)] = path.resolve()
    files |= {"/etc/passwd": ACCOUNTS, "/etc/group": GROUPS}
    return layer(files | {f"/{name}/.keep": b"" for name in ("tmp", "run", "proc", "dev", "prometheus")})
