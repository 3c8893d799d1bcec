"""Pure array functions in the engine's layout: batch last. They know no layers and no graphs."""
