-- Where the bytes of a layer are that is no plain tar: the layer is an address space of so many
-- bytes, cut into chunks, and each chunk lies encoded in another file, or comes from a registry.
-- Offsets in the layer's index are offsets in this space.

-- "RLck": says what the file is, to file(1) and to us.
PRAGMA application_id = 0x524c636b;
-- `user_version` is the number of the format. It is set last of all, so that a file whose writing
-- stopped half-way has 0, which no reader takes.

CREATE TABLE meta (               -- one row
    data    TEXT NOT NULL,        -- the file with the bytes, relative to this file's folder
    present TEXT NOT NULL,        -- '': `data` has the chunks encoded, at `place`. Else a file with
                                  -- a byte for each chunk, not 0 where the chunk is there: then
                                  -- `data` has it decoded, at `offset`
    size    INTEGER NOT NULL,     -- of the address space
    kind    TEXT NOT NULL         -- what the layer was, for people
);

CREATE TABLE chunk (
    number INTEGER PRIMARY KEY,   -- from 0, without gaps, by address
    offset INTEGER NOT NULL,      -- where it begins in the address space
    size   INTEGER NOT NULL,      -- of the decoded chunk
    place  INTEGER NOT NULL,      -- where it begins in the encoded file
    stored INTEGER NOT NULL,      -- how many bytes of that file decode to it
    codec  INTEGER NOT NULL,      -- 0 raw, 1 zlib, 2 gzip, 3 zstd, 4 xz, 5 lz4 block, 6 lzo1x,
                                  -- 7 deflate, begun in the middle: has a row in `window`
    digest BLOB NOT NULL          -- SHA-256 of the decoded chunk; '' where nothing says
);

CREATE TABLE window (
    number INTEGER PRIMARY KEY,   -- of the chunk
    bits   INTEGER NOT NULL,      -- how many low bits of its first byte belong to what is before
    data   BLOB NOT NULL          -- the 32 KiB before it that it may refer to, as a zlib stream
);
