"""From values of the SDK to what the browser draws: pure functions, no web."""
