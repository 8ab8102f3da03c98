"""The linter of `check`: rules that know in-context learning, each with a code, and what they find in a pipeline."""
