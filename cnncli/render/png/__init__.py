"""What is drawn pixel by pixel: PNG files, animations, and pictures in terminals that can show them."""
