"""``fogline doctor``: probes that look, and judgements that say what to do about what they saw."""
