"""`cnncli visualize`: pictures of what is inside a network, in the terminal or as PNG; one file a family of views."""
