"""The engine: what prompts share is computed once, rows that end make room, and the tokens stay exact."""
