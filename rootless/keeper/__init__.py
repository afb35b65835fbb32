"""The namespace holder: what stays warm between runs, and looks after those that go through it."""
