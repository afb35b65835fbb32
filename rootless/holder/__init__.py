"""The client's side of the namespace holder: a start that imports almost nothing."""
