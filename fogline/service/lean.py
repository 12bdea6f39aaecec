"""Imported first by a tier's ``__main__``: keeps out what others would import only because it is installed.

structlog takes rich for its tracebacks when it finds it: 4 MiB in each process for logs that are JSON.
"""

import sys

sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # None is how Python is told "not importable"
