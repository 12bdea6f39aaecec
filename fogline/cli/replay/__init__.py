"""``fogline replay``: the rows of a CSV file as MQTT messages."""
