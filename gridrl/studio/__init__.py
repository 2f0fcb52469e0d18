"""The studio: a window in which agents learn, are looked into, and have their world changed by hand."""
