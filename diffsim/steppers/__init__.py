"""Steppers: one step of a law, each method a small class."""
