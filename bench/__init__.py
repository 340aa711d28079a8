"""Speed, as ratios between two sides of one run: `make bench`, a row per goal of the limits."""
