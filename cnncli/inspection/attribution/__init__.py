"""Why a network decides as it does: how much each number of its input counts for one number of its output.

A method is a frozen dataclass of its options with a function `attribute`; METHODS lists them.
"""
