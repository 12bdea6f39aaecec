"""``fogline node update``: another release beside the one that runs, and back if it does not work."""
