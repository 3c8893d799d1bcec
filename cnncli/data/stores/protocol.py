"""What goes between the trainer and the processes that decode pictures for it.

To them go pieces: some paths, with END between them, after the length of it all. Back comes one byte when all is
ready; then, for each path, one byte and the picture, or another byte and what is wrong, after its length.
"""

GOOD, BAD = b"+", b"-"  # before a picture, and before the text of what is wrong
LENGTH = 4  # bytes that hold one, the lowest first
END = b"\0"
