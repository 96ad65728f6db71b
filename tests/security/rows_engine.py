"""Rows of engines."""
