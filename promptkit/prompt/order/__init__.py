"""Orders: how the demonstrations that were chosen stand."""
