"""Specs: what people write, read and checked, and made into plans."""

from fogline.spec.plan import make_plan
from fogline.spec.read import Spec, read_spec

__all__ = ["Spec", "make_plan", "read_spec"]
