"""Imported first by the dashboard's ``__main__``, as :mod:`fogline.service.lean` and for the same reason.

NiceGUI's websocket library takes two HTTP clients when it finds them: 12 MiB for dialling out, which no server does.
"""

import sys

for name in ("aiohttp", "requests"):
    sys.modules.setdefault(name, None)  # type: ignore[arg-type] # None is how Python is told "not importable"
