"""What goes between the trainer and the processes that decode pictures for it."""

GOOD, BAD = b"+", b"-"  # before a picture, and before the text of what is wrong
LENGTH = 4  # bytes that hold one, the lowest first
