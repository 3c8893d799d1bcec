"""What can be seen of a network, as plain data: every view is a frozen dataclass and the function that fills it.

Arrays in a view are of one sample, without a batch axis, in PyTorch's order; statistics are over all samples.
"""
