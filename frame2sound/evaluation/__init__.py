"""What is right and wrong with a soundtrack: in numbers, and in a picture."""
