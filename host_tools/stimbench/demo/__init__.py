"""The demonstration: the whole main job on the emulated bench, recorded, judged and reported."""
