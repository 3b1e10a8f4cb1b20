"""Sort films by their sound: labels, cross-validation by film, and the judge that comes of it."""
