"""Compare recipes: same training data, same test data, and confidence intervals."""
