"""Images out of a Containerfile.

The pure middle first, from the text to a plan: `containerfile` reads it, by BuildKit's own parser
(`parser`), and refuses what `grammar` does not know; `stages` says what has to be built, `state`
what each instruction makes of a stage, with `expand` for its variables. Source of the language:
the Dockerfile reference, https://docs.docker.com/reference/dockerfile/.
"""
