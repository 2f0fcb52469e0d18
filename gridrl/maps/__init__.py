"""What is believed, laid out on the grid: arrays first, then figures."""
