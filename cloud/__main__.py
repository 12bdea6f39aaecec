"""``python -m cloud --settings FILE``."""

import sys

from cloud.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
