"""The engine's attention and decode step on a graphics card."""
