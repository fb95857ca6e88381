"""The web console: a client of the public HTTP API, and of nothing else.

`application` composes it: the pages of `frontend.pages` once a language, and the plain routes that
need a cookie or send a file (`session`, `credentials`, `downloads`). `context` is what pages are
built with, `server` the API as they call it, `guard` what stands before every request.
"""
