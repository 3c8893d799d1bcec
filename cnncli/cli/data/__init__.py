"""`cnncli data ...`: one module a command."""
