-- The index of one layer: what its tar holds, member by member, in the order of the tar.
-- Nothing is resolved here: the merge replays the members as an extraction would, so that
-- duplicates, hard links and whiteouts mean what they mean to tar.

-- "RLix": says what the file is, to file(1) and to us.
PRAGMA application_id = 0x524c6978;
-- `user_version` is the number of the format. It is set last of all, so that a file whose writing
-- stopped half-way has 0, which no reader takes.

CREATE TABLE entry (
    number   INTEGER PRIMARY KEY, -- position among the tar's members, from 1; later ones win
    path     BLOB NOT NULL,       -- relative to the root, no slash at either end; '' is the root
    mode     INTEGER NOT NULL,    -- st_mode: type and permissions
    uid      INTEGER NOT NULL,    -- owner, as the layer has it
    gid      INTEGER NOT NULL,    -- group, as the layer has it
    size     INTEGER NOT NULL,    -- length of a regular file or of a link's target, else 0
    mtime_ns INTEGER NOT NULL,    -- last modification, nanoseconds since 1970
    rdev     INTEGER NOT NULL,    -- device number of a device node, as makedev(3) gives it, else 0
    offset   INTEGER NOT NULL,    -- where the contents begin in the layer's tar
    target   BLOB NOT NULL,       -- symbolic link: its text; hard link: a path like `path`; else ''
    flags    INTEGER NOT NULL     -- 1 hard link, 2 has rows in xattr, 4 sparse, has rows in extent
);

CREATE TABLE whiteout (
    path      BLOB NOT NULL,      -- what is hidden of the lower layers
    is_opaque INTEGER NOT NULL    -- 1: not `path` itself, but everything in it
);

CREATE TABLE xattr (
    number INTEGER NOT NULL,      -- of the entry
    name   BLOB NOT NULL,         -- with its namespace, as in `security.capability`
    value  BLOB NOT NULL,
    PRIMARY KEY (number, name)
) WITHOUT ROWID;

CREATE TABLE extent (
    number     INTEGER NOT NULL,  -- of the entry
    offset     INTEGER NOT NULL,  -- in the file
    length     INTEGER NOT NULL,
    tar_offset INTEGER NOT NULL,  -- in the layer's tar
    PRIMARY KEY (number, offset)
) WITHOUT ROWID;
