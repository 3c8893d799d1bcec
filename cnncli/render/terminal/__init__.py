"""What is shown in the terminal: tables, and pictures made of characters."""
