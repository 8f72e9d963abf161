"""How good a talking face is (Yi et al. 2020, section 4): each metric names its convention."""
