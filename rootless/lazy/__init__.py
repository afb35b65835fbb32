"""Layers that run before they are there: fetched by ranges, as they are read.

A layer whose blob has a table of contents (TOC: `rootless.chunked`) can be shown by that alone:

    lazy/sha256/HEX/             HEX is the layer's diff ID
        source.json              which blob it is, and who has it (`source`)
        index                    the layer index; its offsets are those in `data`
        layer-chunks             the chunk table: which bytes of the blob are which in `data`
        data                     sparse: the chunks, decoded
        present                  a byte for each chunk: 1 once it is in `data`
        blob                     sparse: what has come of the blob
        gaps                     a byte for each part of the blob between chunks: 1 once it came
        kept                     copy of `present` and `gaps` as far as that is on the disk
        order                    chunks in the order in which runs have asked for them (`order`)

Beside a run's FUSE server the fetcher (`fetcher`) gets what the server asks for, then the rest. A
chunk is checked against its digest before it is written, and marked after that. A layer that is
whole becomes an ordinary one (`promote`): its blob is verified and ingested, and the folder goes.

Only `fetcher`, what it is made of, and `stage` import trio; what a run imports does not.
"""
