"""``fogline up``: every tier on this machine, as processes under one supervisor."""
