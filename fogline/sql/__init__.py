"""SQL of the steps: parsed against a short grammar, checked, and turned into a plan's queries."""
