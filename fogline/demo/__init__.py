"""The demo: this machine's own sensors as readings, and a pipeline over them."""
