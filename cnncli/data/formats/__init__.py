"""File formats: each module turns one kind of file into an array, or a DataError that names the file."""
