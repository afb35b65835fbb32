"""A container's network without root: what is asked for, what it becomes, who carries it."""
