#%Module1.0
## Environment Modules file: copy to a folder of MODULEPATH as rootless/VERSION, after
##   python3 -m venv /sw/rootless/VERSION && /sw/rootless/VERSION/bin/pip install .
set version [file tail [module-info name]]
set prefix  /sw/rootless/$version

module-whatis "rootless $version: runs container images without root, without a daemon"
proc ModulesHelp { } {
    puts stderr "Container images as an ordinary user:  rootless run IMAGE COMMAND"
    puts stderr "On this node:                          rootless doctor --hpc"
    puts stderr "In a job:                              rootless run --hpc IMAGE COMMAND"
}

conflict rootless
prepend-path PATH    $prefix/bin
prepend-path MANPATH $prefix/share/man
## The images of the site, read beside the user's own:
## append-path ROOTLESS_ADDITIONAL_STORES /sw/images
