"""The command line. Its commands, flags, JSON shapes and exit codes are in docs/cli.md and kept stable."""
