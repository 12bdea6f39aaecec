"""``python -m fog_node``."""

import sys

from fog_node.main import main

sys.exit(main())
