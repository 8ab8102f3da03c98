"""Finished runs over the same examples, paired: how far apart they are, what flipped, and what moved it."""
