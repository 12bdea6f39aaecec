"""Machines that join an installation, and the people who let them: ``join``, ``revoke``, ``token``."""
