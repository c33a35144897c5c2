"""Object detection: boxes read from a model, and their COCO mAP at a deadline."""
