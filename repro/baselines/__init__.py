"""Two earlier systems, made again small on the same data (Yi et al. 2020, Table 2).

"You Said That" (Chung, Jamaludin and Zisserman 2017) and ATVG (Chen, Maddox, Duan and Xu 2019),
written from their papers' descriptions. Each sees one frame of a person and a sound, and makes the
frames of the face that go with it. What was left out of each is said in its module.
"""
