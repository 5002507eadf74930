"""Measurements of speed, memory and matching; the README lists them."""
