"""Linear models with controlled slopes, and their exact solver."""
