"""A table's update, step by step: one file for each rule, in plain numbers, beside the rule's own file."""
