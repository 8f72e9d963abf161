"""Few-shot talking heads with rhythmic head motion (Chen et al. 2020)."""
