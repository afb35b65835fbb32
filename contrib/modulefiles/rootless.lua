-- Lmod module file: copy to a folder of MODULEPATH as rootless/VERSION.lua, after
--   python3 -m venv /sw/rootless/VERSION && /sw/rootless/VERSION/bin/pip install .
local prefix = pathJoin("/sw/rootless", myModuleVersion())

whatis("Name: rootless")
whatis("Description: runs container images without root, without a daemon")
help([[
Container images as an ordinary user:  rootless run IMAGE COMMAND
On this node:                          rootless doctor --hpc
In a job:                              rootless run --hpc IMAGE COMMAND
]])

prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
-- The images of the site, read beside the user's own, and fast local disk for what runs write:
-- append_path("ROOTLESS_ADDITIONAL_STORES", "/sw/images")
-- setenv("ROOTLESS_SCRATCH", pathJoin(os.getenv("TMPDIR") or "/tmp", "rootless-" .. os.getenv("USER")))
