"""What pages are made of: elements with a piece of script each, drawn in the browser from one value."""
