"""Reading an uploaded file: apart from everything else, and as text.

`process` is the door: it starts `child`, which alone opens the file, under limits of memory, CPU
and time. Whatever the file does to the child, the caller gets a `FileProblem` with a sentence.
The child loads no Django settings and knows no database: it answers with bytes ready for COPY.
"""
