"""How fast this is, as ratios to what the same machine could do at most in the same run.

`python -m tests.bench --records 1m` (or `make bench RECORDS=1m`); `--quick` takes
half a minute.
Everything goes through the services and the reader that the product uses; what runs in the worker
there runs in a process of its own here, so that its memory can be told apart.
"""
