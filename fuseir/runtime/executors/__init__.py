"""What runs plans."""
