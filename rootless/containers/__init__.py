"""Containers that live: the run of one from start to clean-up."""
