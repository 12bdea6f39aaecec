"""The files that every page shares: style sheet, theme, and the page for signing in."""

import hashlib
from html import escape
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).with_name("static")
ROUTE: Final = "/fogline"


def style_link() -> str:
    """The link to the style sheet, by its content: a browser keeps it until it changes."""
    return f'<link rel="stylesheet" href="{ROUTE}/page.css?{_version("page.css")}">'


def sign_in_page(installation: str) -> bytes:
    """The page, without anything of the installation but its name."""
    page = (STATIC / "sign_in.html").read_text()
    told = {
        "installation": escape(installation),
        "style": style_link(),
        "theme": f"{ROUTE}/head.js?{_version('head.js')}",
        "script": f"{ROUTE}/sign_in.js?{_version('sign_in.js')}",
    }
    for name, value in told.items():
        page = page.replace(f"{{{{{name}}}}}", value)
    return page.encode()


def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
