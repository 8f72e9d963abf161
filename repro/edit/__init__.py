"""Editing a target video by sound (Song et al. 2020, "Everybody's Talkin'").

The sound drives the expression alone; geometry, pose and the rest of the frame stay the target's.

Speech (section 3.2)
    speech_settings    sizes and training
    speech_data        who speaks and moves how: seconds of sound, expression, mouth landmarks
    speakers           whose voice is it: encoder and classifier (3.2.1, in place of VGGVox)
    id_removal         speech made nobody's in particular (3.2.1, Eq. 1 and 2; figure 3)
    translation        sound to expression, expression to mouth landmarks (3.2.2; figure 10)
    translation_train  both trained together (Eq. 3 and 6)
    retiming           which target frames are shown to which sound (3.3.1)
    target             the sound's mouth on the target's head

Video (section 3.3 and appendix B)
    video_settings      sizes and training
    masked              the mouth region, hidden under noise
    heatmaps            landmarks as pictures
    windows             what the network sees: seven frames and their heat maps, in one box
    completion          the U-Net that paints the region
    completion_losses   Eq. 4; completion_trainer, completion_train: its training
    blend               the painted region brought into the frame
    deflicker           Algorithm 1, Eq. 7
    video               from landmarks to finished frames
"""
