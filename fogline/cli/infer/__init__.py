"""From messages that were heard to a spec that reads them."""
