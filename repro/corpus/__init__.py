"""Clips and where they come from: synthetic people, a folder of videos, any file."""
