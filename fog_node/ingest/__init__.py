"""How messages come in: by the node's own MQTT listener (``listener``), or from a broker (``broker``).

What both share stands here: the parser of PUBLISH packets, topics and the streams that they feed, recognition of
repeated messages, and the way into the journal.
"""
