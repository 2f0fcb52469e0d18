"""The parts of deep agents that live on a device, such as a GPU: what the parts of the same names do on the host.

The arithmetic is the host's, on tensors in place of arrays. Nothing is read back while a step is kept or learned from.
"""
