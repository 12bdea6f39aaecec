"""``python -m aggregator --settings FILE``."""

import sys

from aggregator.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
