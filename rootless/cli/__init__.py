"""typer commands: parse, call, print. No logic."""
