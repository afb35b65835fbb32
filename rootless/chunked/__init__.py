"""Layers with a table of contents: eStargz and zstd:chunked, read and written.

Both are ordinary compressed tars in which every file's contents begin a gzip member or zstd frame
of their own, and whose end holds a table of contents (TOC) that says where. With the TOC alone a
layer can be shown, and its contents fetched and checked chunk by chunk.

Sources: docs/estargz.md of the stargz snapshotter; the annotations, the footer and the TOC that
containers/storage writes (`pkg/chunked`). No store and no network here: bytes come from a callable.
"""
