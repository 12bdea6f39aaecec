"""Sessions with containers, as the cloud opens them."""
