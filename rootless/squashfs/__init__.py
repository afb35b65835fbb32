"""Squashfs images, and SIF files with one in them, read where they lie: names and places only."""
