"""``python -m cloud.dashboard --settings FILE``."""

import sys

import cloud.dashboard.lean  # noqa: F401 - first, see there
import fogline.service.lean  # noqa: F401 - first, see there

# isort: split
from cloud.dashboard.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
