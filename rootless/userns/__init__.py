"""User namespaces: ID maps, sub-ID ranges, and the process that holds one."""
