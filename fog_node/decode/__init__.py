"""From messages to readings: payload formats, event times, labels, repeats. A step behind the journal, so
that a wrong field map can be corrected and reprocessed, and a payload cannot crash ingest.
"""
