"""The commands of `gridrl`, one file each."""
