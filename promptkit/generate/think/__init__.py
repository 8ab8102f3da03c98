"""`thinking` of `generate:`: what it declares, what a request carries of it, and where a row stands in it."""
