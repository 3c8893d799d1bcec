"""The same training as a script of one's own, as the frameworks' tutorials write it."""
