"""The command line as on a machine that has not joined; on one that has, `doctor` looks at its node, too."""

from unittest.mock import patch

from fogline.cli.main import main

if __name__ == "__main__":
    with patch("fogline.cli.join.places.joined", return_value=None):
        main()
