"""The commands as functions: options in, immutable results out. `cnncli` offers them by name."""
