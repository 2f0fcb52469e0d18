"""The studio's pictures: from the values in `gridrl.studio.shown` and a size to a pygame surface."""
