"""From a video to its coefficients (Yi et al. 2020, section 3.1)."""
