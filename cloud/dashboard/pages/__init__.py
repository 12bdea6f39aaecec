"""The pages: a thin shell around the views."""
