"""Worlds with known truth, and what the methods make of them."""
