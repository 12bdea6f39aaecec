"""An image of the drills' operators, made of this machine's own Python, as `fogline operator build` makes one."""

from pathlib import Path

from tests.images import ImageFile, layer, make_image, packages, python_layer, shared_libraries

LIBRARIES = ("numpy", "numpy.libs", "grpc", "google", "typing_extensions.py")
SITE = "/app/site"
FUNCTIONS = Path(__file__).with_name("operator_functions.py")
LEFT_OUT = ("cli", "client", "control", "demo", "intake", "service", "spec", "sql", "testing", "uplink")


def operator_image(function: str) -> ImageFile:
    """A function of ``operator_functions.py``, to be loaded into any number of Engines."""
    return sdk_image(FUNCTIONS, "-m", "fogline.operator", f"{FUNCTIONS.stem}:{function}")


def sdk_image(program: Path, *arguments: str) -> ImageFile:
    """A file in /app beside the operators' SDK; ``arguments`` are Python's."""
    libraries = packages(LIBRARIES, into=SITE, compiled=True)
    parts = packages(["fogline"], into=SITE, compiled=True)
    left_out = tuple(f"{SITE}/fogline/{name}/" for name in LEFT_OUT)
    sdk = {name: what for name, what in parts.items() if not name.startswith(left_out)}
    return make_image(
        (
            python_layer(compiled=True),
            layer(libraries | shared_libraries(libraries)),
            layer(sdk | {f"/app/{program.name}": program}),
        ),
        entrypoint=("python3", *arguments),
        environment=("PATH=/usr/bin:/bin", f"PYTHONPATH=/app:{SITE}"),
    )
