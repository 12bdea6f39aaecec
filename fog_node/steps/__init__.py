"""From readings to parts: the steps of a plan over a block's batch, and one lane a plan that cuts the
parts.
"""
