"""The panels of a command's help, in their order."""

NETWORK, INPUT, OUTPUT, COMPUTING = PANELS = ("Network", "Input", "Output", "Computing")
