"""The evidence: people's ratings, and whether a run gives the numbers of the reference."""
