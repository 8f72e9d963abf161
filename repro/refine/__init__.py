"""Refinement of rendered frames by a memory-augmented GAN (Yi et al. 2020, section 3.4)."""
