"""``python -m fogline``: the command line."""

from fogline.cli.main import main

main()
