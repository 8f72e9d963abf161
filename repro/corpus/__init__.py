"""Clips and where they come from: synthetic people, known corpora, public clips, any videos."""
