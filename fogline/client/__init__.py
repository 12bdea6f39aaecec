"""The SDK: a small typed client of Fogline's cloud."""
