"""Count words by the wheel's module."""

import tally

print(tally.count(["one", "two", "two"])["two"])
