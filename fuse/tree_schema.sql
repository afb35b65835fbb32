-- The merged tree of a chain of layers: what the file system shows, ready to be asked by directory.
-- Numbers of inodes run from 1, the root, breadth first and by name: a directory's children lie
-- side by side in both tables.

-- "RLtr": says what the file is, to file(1) and to us.
PRAGMA application_id = 0x524c7472;
PRAGMA page_size = 8192;
-- `user_version` is the number of the format. It is set last of all, so that a file whose writing
-- stopped half-way has 0, which no reader takes.

CREATE TABLE dirent (
    parent INTEGER NOT NULL,      -- inode of the directory
    name   BLOB NOT NULL,
    ino    INTEGER NOT NULL,      -- inode of the object; hard links share one
    PRIMARY KEY (parent, name)
) WITHOUT ROWID;

CREATE TABLE inode (
    ino      INTEGER PRIMARY KEY,
    mode     INTEGER NOT NULL,    -- st_mode: type and permissions
    nlink    INTEGER NOT NULL,    -- names in this tree; of a directory 2 and its subdirectories
    uid      INTEGER NOT NULL,
    gid      INTEGER NOT NULL,
    size     INTEGER NOT NULL,    -- length of a regular file or of a link's target, else 0
    mtime_ns INTEGER NOT NULL,    -- last modification, nanoseconds since 1970
    rdev     INTEGER NOT NULL,    -- device number, as makedev(3) gives it, else 0
    layer    INTEGER NOT NULL,    -- position of its layer in the chain, the lowest is 0;
                                  -- -1: a directory that no layer names
    offset   INTEGER NOT NULL,    -- where the contents begin in that layer's tar
    target   BLOB NOT NULL,       -- text of a symbolic link, else ''
    sparse   INTEGER NOT NULL     -- 1: the contents are the rows of extent
);

CREATE TABLE listing (            -- directories as the kernel is given them: fuse/listing.py
    place   INTEGER PRIMARY KEY,  -- inode of the directory << 32 | position before the first entry
    number  INTEGER NOT NULL,     -- entries in this chunk
    is_last INTEGER NOT NULL,     -- 1: there are none behind it
    entries BLOB NOT NULL         -- one after the other: struct fuse_direntplus
);

CREATE TABLE owner (              -- every UID and GID that occurs
    kind INTEGER NOT NULL,        -- 0: UID, 1: GID
    id   INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE TABLE xattr (
    ino   INTEGER NOT NULL,
    name  BLOB NOT NULL,          -- with its namespace, as in `security.capability`
    value BLOB NOT NULL,
    PRIMARY KEY (ino, name)
) WITHOUT ROWID;

CREATE TABLE extent (
    ino        INTEGER NOT NULL,
    offset     INTEGER NOT NULL,  -- in the file
    length     INTEGER NOT NULL,
    tar_offset INTEGER NOT NULL,  -- in the tar of the inode's layer
    PRIMARY KEY (ino, offset)
) WITHOUT ROWID;

CREATE TABLE statistics (         -- one row
    inodes INTEGER NOT NULL,      -- objects in the tree
    bytes  INTEGER NOT NULL,      -- sum of the sizes of its regular files
    xattrs INTEGER NOT NULL       -- rows of xattr
);
