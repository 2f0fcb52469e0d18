"""What is so: optimal values, the returns of any policy, and how far beliefs are from them."""
