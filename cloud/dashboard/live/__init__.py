"""One source of live data for every page and every browser."""
