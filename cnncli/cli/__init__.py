"""The command line: each file parses one command's options, calls its function and shows the result."""
